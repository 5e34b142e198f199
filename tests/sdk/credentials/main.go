// Asks for credentials with the official providers for Go: credentials KIND LAB, where LAB is a file that says where the
// emulator listens and what to ask with. It prints who the credentials are of.
//
// Hosts and ports stay the real ones: the providers know a proxy, and this program is one that leads to the
// emulator.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aliyun/credentials-go/credentials/providers"
)

type lab struct {
	HTTPS       string `json:"https"`
	Metadata    string `json:"metadata"`
	Token       string `json:"token"`
	Role        string `json:"role"`
	Provider    string `json:"provider"`
	Session     string `json:"session"`
	KeyID       string `json:"keyId"`
	KeySecret   string `json:"keySecret"`
	AssumedRole string `json:"assumedRole"`
	NodeRole    string `json:"nodeRole"`
}

func (it lab) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	switch {
	case request.Method == http.MethodConnect && strings.HasSuffix(request.Host, ".aliyuncs.com:443"):
		it.tunnel(answer)
	case request.URL.Host == "100.100.100.200":
		it.metadata(answer, request)
	default:
		http.Error(answer, "there is nothing but the emulator", http.StatusBadGateway)
	}
}

func (it lab) tunnel(answer http.ResponseWriter) {
	there, err := net.Dial("tcp", it.HTTPS)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadGateway)
		return
	}
	here, _, err := answer.(http.Hijacker).Hijack()
	if err != nil {
		there.Close()
		return
	}
	fmt.Fprint(here, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		defer here.Close()
		io.Copy(here, there)
	}()
	defer there.Close()
	io.Copy(there, here)
}

func (it lab) metadata(answer http.ResponseWriter, request *http.Request) {
	dial := func(network, _ string) (net.Conn, error) { return net.Dial(network, it.Metadata) }
	outgoing := request.Clone(request.Context())
	outgoing.RequestURI = ""
	found, err := (&http.Transport{Dial: dial}).RoundTrip(outgoing)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadGateway)
		return
	}
	defer found.Body.Close()
	answer.WriteHeader(found.StatusCode)
	io.Copy(answer, found.Body)
}

func (it lab) provider(kind string, options *providers.HttpOptions) (providers.CredentialsProvider, error) {
	switch kind {
	case "oidc":
		return providers.NewOIDCCredentialsProviderBuilder().
			WithOIDCTokenFilePath(it.Token).WithOIDCProviderARN(it.Provider).WithRoleArn(it.Role).
			WithRoleSessionName(it.Session).WithDurationSeconds(3600).
			WithStsRegionId("cn-hangzhou").WithEnableVpc(true).WithHttpOptions(options).Build()
	case "key-and-role":
		keys, err := providers.NewStaticAKCredentialsProviderBuilder().
			WithAccessKeyId(it.KeyID).WithAccessKeySecret(it.KeySecret).Build()
		if err != nil {
			return nil, err
		}
		return providers.NewRAMRoleARNCredentialsProviderBuilder().
			WithCredentialsProvider(keys).WithRoleArn(it.AssumedRole).WithRoleSessionName(it.Session).
			WithDurationSeconds(3600).WithStsRegionId("cn-hangzhou").WithEnableVpc(true).
			WithHttpOptions(options).Build()
	case "ecs-ram-role", "named-ecs-ram-role":
		name := ""
		if kind == "named-ecs-ram-role" {
			name = it.NodeRole
		}
		return providers.NewECSRAMRoleCredentialsProviderBuilder().
			WithRoleName(name).WithDisableIMDSv1(true).WithHttpOptions(options).Build()
	}
	return nil, fmt.Errorf("there is no kind %q", kind)
}

func run(kind, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var it lab
	if err := json.Unmarshal(text, &it); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(listener, it)
	options := &providers.HttpOptions{
		Proxy:          "http://" + listener.Addr().String(),
		ConnectTimeout: int((10 * time.Second).Milliseconds()),
		ReadTimeout:    int((30 * time.Second).Milliseconds()),
	}
	provider, err := it.provider(kind, options)
	if err != nil {
		return err
	}
	got, err := provider.GetCredentials()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"provider": got.ProviderName,
		"keyId":    got.AccessKeyId,
		"token":    got.SecurityToken != "",
	})
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "credentials: KIND LAB")
		os.Exit(64)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "credentials:", err)
		os.Exit(1)
	}
}
