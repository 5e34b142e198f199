// The client of the KMS Agent's documentation, with address and token file as arguments.
package main

import (
	"fmt"
	"io/ioutil"
	"net/http"
	"os"
)

func main() {
	url := fmt.Sprintf(os.Args[1]+"/secretsmanager/get?secretId=%s", "app/dev/secret-1")
	token, err := ioutil.ReadFile(os.Args[2])
	if err != nil {
		fmt.Printf("error reading token file: %v\n", err)
	}
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		fmt.Printf("error creating request: %v\n", err)
	}
	req.Header.Add("X-KMS-Token", string(token))
	client := &http.Client{}
	resp, err := client.Do(req)
	if err != nil {
		fmt.Printf("error sending request: %v \n", err)
	}
	defer resp.Body.Close()
	body, _ := ioutil.ReadAll(resp.Body)
	fmt.Printf("status code %d - %s \n", resp.StatusCode, string(body))
}
