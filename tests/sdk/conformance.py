"""The official SDKs against the emulator: both must agree on answers and on errors.

Run by the Rust test `sdk_conformance`, which starts the emulator and passes where it listens in the
JSON file that LAB_CONFIG names.
"""

import base64
import json
import ssl
import tempfile
import unittest
import unittest.mock

from lab import LAB, admin, mint

from alibabacloud_credentials.client import Client as CredentialClient
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_credentials.provider.ecs_ram_role import EcsRamRoleCredentialsProvider
from alibabacloud_credentials.provider.oidc import OIDCRoleArnCredentialsProvider
from alibabacloud_credentials.provider.ram_role_arn import RamRoleArnCredentialsProvider
from alibabacloud_credentials.provider.static_ak import StaticAKCredentialsProvider
from alibabacloud_kms20160120 import models as kms
from alibabacloud_kms20160120.client import Client as Kms
from alibabacloud_oos20190601 import models as oos
from alibabacloud_oos20190601.client import Client as Oos
from alibabacloud_sts20150401 import models as sts
from alibabacloud_sts20150401.client import Client as Sts
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException, ThrottlingException
from alibabacloud_tea_openapi.utils_models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

ACCOUNT = "1234567890123456"
ROLE = f"acs:ram::{ACCOUNT}:role/app"
PARTNER = "acs:ram::9876543210987654:role/partner"
EXTERNAL_ID = "ext=1,2.3@a:/-_"
PROVIDER = f"acs:ram::{ACCOUNT}:oidc-provider/ack-rrsa-sdk"
GATEWAY = "kst-hzz65f176a0ogplgq0001.cryptoservice.kms.aliyuncs.com"
STATIC = {"access_key_id": "LTAI5tEXAMPLEKEYID0001", "access_key_secret": "exampleSecretKey0123456789abcd"}

def config(**more):
    return Config(**{"region_id": "cn-hangzhou", "ca": LAB["ca"], **more})


def secret(name, credential=STATIC, client=None, **more):
    client = client or Kms(config(**credential))
    return client.get_secret_value(kms.GetSecretValueRequest(secret_name=name, **more)).body


def with_oidc(token, role_arn=ROLE, provider=PROVIDER, session="sess", duration=3600):
    request = sts.AssumeRoleWithOIDCRequest(
        role_arn=role_arn,
        oidcprovider_arn=provider,
        oidctoken=token,
        role_session_name=session,
        duration_seconds=duration,
    )
    return Sts(config()).assume_role_with_oidc(request).body


def temporary(credentials):
    return {
        "access_key_id": credentials.access_key_id,
        "access_key_secret": credentials.access_key_secret,
        "security_token": credentials.security_token,
    }


class Conformance(unittest.TestCase):
    def setUp(self):
        admin("DELETE", "/faults")
        admin("DELETE", "/requests")

    def refused(self, code, status, call, *args, **kwargs):
        with self.assertRaises(AlibabaCloudException) as caught:
            call(*args, **kwargs)
        error = caught.exception
        self.assertEqual((error.code, error.status_code), (code, status), error)
        self.assertRegex(str(error.request_id or error.data), r"[0-9A-F]{8}-[0-9A-F]{4}-")
        return error


class KmsTest(Conformance):
    def test_text(self):
        body = secret("app/text")
        self.assertEqual(json.loads(body.secret_data), {"password": "p@ss/wörd=密"})
        self.assertEqual((body.secret_name, body.version_id), ("app/text", "v3"))
        self.assertEqual((body.secret_type, body.secret_data_type), ("Generic", "text"))
        self.assertEqual(body.version_stages.version_stage, ["ACSCurrent"])
        self.assertRegex(body.request_id, "^[0-9A-F-]{36}$")
        self.assertRegex(body.create_time, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_binary(self):
        body = secret("app/binary")
        self.assertEqual(body.secret_data_type, "binary")
        self.assertEqual(base64.b64decode(body.secret_data), bytes([0, 1, 2, 3, 255, 254, 253, 252]))

    def test_an_empty_value(self):
        self.assertEqual(secret("app/empty").secret_data, "")

    def test_versions_and_stages(self):
        self.assertEqual(secret("app/text", version_id="v1").secret_data, "first")
        self.assertEqual(secret("app/text", version_stage="ACSPrevious").secret_data, "second")
        self.assertEqual(secret("app/text", version_stage="blue").secret_data, "first")
        self.assertEqual(secret("app/text", version_id="v1", version_stage="blue").secret_data, "first")
        self.refused("Forbidden.ResourceNotFound", 404, secret, "app/text", version_id="v9")
        self.refused("Forbidden.ResourceNotFound", 404, secret, "app/text", version_stage="green")
        self.refused("InvalidParameter", 400, secret, "app/text", version_id="v2", version_stage="blue")

    def test_arn(self):
        arn = f"acs:kms:cn-hangzhou:{ACCOUNT}:secret/app/text"
        self.assertEqual(secret(arn).version_id, "v3")

    def test_every_type(self):
        for name, kind in [
            ("app/rds", "Rds"),
            ("app/redis", "Redis"),
            ("app/polardb", "PolarDB"),
            ("app/ram", "RAMCredentials"),
            ("app/ecs", "ECS"),
        ]:
            with self.subTest(kind):
                body = secret(name, fetch_extended_config=True)
                self.assertEqual(body.secret_type, kind)
                self.assertEqual(len(json.loads(body.secret_data)), 2)
        self.assertEqual(json.loads(secret("app/rds", fetch_extended_config=True).extended_config)["SecretSubType"], "SingleUser")
        self.assertIsNone(secret("app/rds").extended_config)
        self.refused("InvalidParameter", 400, secret, "app/rds", version_stage="blue")

    def test_vpc_and_plain_http(self):
        self.assertEqual(secret("app/text", client=Kms(config(network="vpc", **STATIC))).version_id, "v3")
        self.assertEqual(secret("app/text", client=Kms(config(protocol="HTTP", **STATIC))).version_id, "v3")
        requests = admin("GET", "/requests")
        self.assertEqual([r["host"] for r in requests], ["kms-vpc.cn-hangzhou.aliyuncs.com", "kms.cn-hangzhou.aliyuncs.com"])
        self.assertEqual([r["secure"] for r in requests], [True, False])

    def test_dedicated_gateway(self):
        """Its leaf comes alone and is signed by an intermediate, which OpenSSL takes for an anchor
        only when told to."""
        make = ssl.create_default_context

        def partial_chain(*args, **kwargs):
            context = make(*args, **kwargs)
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            return context

        with unittest.mock.patch("ssl.create_default_context", partial_chain):
            client = Kms(config(endpoint=GATEWAY, **{**STATIC, "ca": LAB["privateCa"]}))
            self.assertEqual(secret("app/text", client=client).version_id, "v3")
        client = Kms(config(endpoint=f"kst-another.{GATEWAY.partition('.')[2]}", **STATIC))
        with self.assertRaisesRegex(Exception, "CERTIFICATE_VERIFY_FAILED"):
            secret("app/text", client=client)

    def test_dry_run(self):
        self.refused("DryRunOperationError", 400, secret, "app/text", dry_run="true")
        self.refused("ValidationError", 400, secret, "app/none", dry_run="true")

    def test_errors(self):
        self.refused("Forbidden.ResourceNotFound", 404, secret, "app/none")
        self.refused("Rejected.Disabled", 409, secret, "app/disabled")
        self.refused("Rejected.PendingDeletion", 409, secret, "app/pending")
        self.refused("Rejected.ResourceInDeleteWindow", 409, secret, "app/deleted")
        self.refused("InvalidParameter", 400, secret, "app/white space")
        self.refused("MissingParameter", 400, secret, "")
        nobody = {"access_key_id": "LTAI5tEXAMPLEKEYID0002", "access_key_secret": "anotherExampleKey0123456789abc"}
        self.refused("Forbidden.NoPermission", 403, secret, "app/text", nobody)
        self.refused("SignatureDoesNotMatch", 400, secret, "app/text", {**STATIC, "access_key_secret": "wrong"})
        self.refused("InvalidAccessKeyId.NotFound", 404, secret, "app/text", {**STATIC, "access_key_id": "LTAIunknown"})
        self.refused("MissingSecurityToken", 400, secret, "app/text", {**STATIC, "access_key_id": "STS.unknown"})
        self.refused("InvalidTimeStamp.Expired", 400, self.late)

    def late(self):
        admin("POST", "/faults", {"effect": {"kind": "clock_skew", "seconds": 1000}})
        secret("app/text")

    def test_throttling(self):
        admin("POST", "/faults", {"count": 1, "effect": {"kind": "rejected_throttling"}})
        self.refused("Rejected.Throttling", 429, secret, "app/text")
        admin("POST", "/faults", {"count": 1, "effect": {"kind": "throttling_user", "retryAfterMillis": 700}})
        error = self.refused("Throttling.User", 400, secret, "app/text")
        self.assertIsInstance(error, ThrottlingException)
        self.assertEqual(error.retry_after, 700)
        self.assertEqual(secret("app/text").version_id, "v3")

    def test_server_errors(self):
        for kind, code, status in [
            ("internal_failure", "InternalFailure", 500),
            ("unavailable", "ServiceUnavailableTemporary", 503),
            ("access_denied", "Forbidden.NoPermission", 403),
        ]:
            admin("POST", "/faults", {"count": 1, "effect": {"kind": kind}})
            self.refused(code, status, secret, "app/text")

    def test_xml_errors(self):
        admin("POST", "/faults", {"count": 1, "effect": {"kind": "xml"}})
        self.refused("InternalFailure", 500, secret, "app/text")


class OosTest(Conformance):
    def setUp(self):
        super().setUp()
        self.client = Oos(config(network="vpc", **STATIC))

    def secret_parameter(self, name, **more):
        request = oos.GetSecretParameterRequest(name=name, region_id="cn-hangzhou", **more)
        return self.client.get_secret_parameter(request).body

    def test_secret_parameter(self):
        body = self.secret_parameter("/prod/db/password", with_decryption=True)
        parameter = body.parameter
        self.assertEqual((parameter.value, parameter.parameter_version, parameter.type), ("two", 2, "Secret"))
        self.assertEqual(parameter.name, "/prod/db/password")
        self.assertRegex(body.request_id, "^[0-9A-F-]{36}$")
        older = self.secret_parameter("/prod/db/password", with_decryption=True, parameter_version=1)
        self.assertEqual(older.parameter.value, "one")

    def test_without_decryption_there_is_no_value(self):
        self.assertIsNone(self.secret_parameter("/prod/db/password").parameter.value)

    def test_plain_parameter(self):
        body = self.client.get_parameter(oos.GetParameterRequest(name="flags", region_id="cn-hangzhou")).body
        self.assertEqual((body.parameter.value, body.parameter.type), ("a=1", "String"))

    def test_several(self):
        request = oos.GetSecretParametersRequest(names='["/prod/db/password","none"]', with_decryption=True)
        body = self.client.get_secret_parameters(request).body
        self.assertEqual([parameter.value for parameter in body.parameters], ["two"])
        self.assertEqual(body.invalid_parameters, ["none"])

    def test_errors(self):
        self.refused("EntityNotExists.Parameter", 404, self.secret_parameter, "none")
        self.refused("EntityNotExists.Parameter", 404, self.secret_parameter, "flags")
        self.refused("InvalidParameter", 400, self.secret_parameter, "/prod/db/password", parameter_version=101)
        given = with_oidc(mint()).credentials
        self.client = Oos(config(**temporary(given)))
        self.refused("Forbidden.RAM", 403, self.secret_parameter, "/prod/db/password")
        admin("POST", "/faults", {"count": 1, "effect": {"kind": "throttling_user"}})
        self.refused("Throttling.User", 400, self.secret_parameter, "/prod/db/password")


class StsTest(Conformance):
    def test_with_oidc(self):
        body = with_oidc(mint())
        self.assertEqual(body.assumed_role_user.arn, f"{ROLE}/sess")
        self.assertTrue(body.credentials.access_key_id.startswith("STS."))
        self.assertEqual(body.oidctoken_info.subject, "system:serviceaccount:shop:checkout")
        self.assertEqual(body.oidctoken_info.issuer, "https://issuer.example/sdk")
        self.assertEqual(body.oidctoken_info.client_ids, "sts.aliyuncs.com")
        self.assertEqual(body.oidctoken_info.verification_info, "Success")
        self.assertEqual(secret("app/text", temporary(body.credentials)).version_id, "v3")
        self.refused("Forbidden.NoPermission", 403, secret, "other/text", temporary(body.credentials))
        self.refused("Forbidden.NoPermission", 403, secret, "acs:kms:cn-hangzhou:9876543210987654:secret/theirs", temporary(body.credentials))

    def test_oidc_errors(self):
        fail = "AuthenticationFail."
        token = mint()
        head, payload, signature = token.split(".")
        flipped = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
        self.refused(f"{fail}OIDCToken.InvalidSignature", 401, with_oidc, f"{head}.{payload}.{flipped}")
        self.refused(f"{fail}OIDCToken.Invalid", 401, with_oidc, "not a token")
        self.refused(f"{fail}OIDCToken.AudienceNotMatch", 401, with_oidc, mint(audiences=["another"]))
        self.refused(f"{fail}OIDCToken.Expired", 401, with_oidc, mint(lifetimeSeconds=-10))
        self.refused(f"{fail}NoPermission", 401, with_oidc, mint(namespace="billing"))
        self.refused(f"{fail}NoPermission", 401, with_oidc, token, provider=f"{PROVIDER}-none")
        self.refused("EntityNotExist.Role", 404, with_oidc, token, role_arn=f"{ROLE}-none")
        self.refused("InvalidParameter.DurationSeconds", 400, with_oidc, token, duration=899)
        self.refused("InvalidParameter.DurationSeconds", 400, with_oidc, token, duration=3601)
        self.refused("InvalidParameter.RoleSessionName", 400, with_oidc, token, session="with space")

    def test_an_expired_credential(self):
        given = temporary(with_oidc(mint()).credentials)
        self.assertEqual(secret("app/text", given).version_id, "v3")
        admin("POST", "/faults", {"count": 1, "effect": {"kind": "expired_credential"}})
        self.refused("InvalidSecurityToken.Expired", 400, secret, "app/text", given)
        admin("POST", "/sessions/expire")
        self.refused("InvalidSecurityToken.Expired", 400, secret, "app/text", given)

    def test_a_token_of_another_session(self):
        one, two = temporary(with_oidc(mint()).credentials), temporary(with_oidc(mint()).credentials)
        mixed = {**one, "security_token": two["security_token"]}
        self.refused("InvalidSecurityToken.MismatchWithAccessKey", 400, secret, "app/text", mixed)

    def assume(self, credential, external_id=EXTERNAL_ID, **more):
        request = sts.AssumeRoleRequest(
            role_arn=PARTNER, role_session_name="chain", duration_seconds=900, external_id=external_id, **more
        )
        return Sts(config(**credential)).assume_role(request).body

    def test_role_chain(self):
        first = temporary(with_oidc(mint()).credentials)
        second = self.assume(first)
        self.assertEqual(second.assumed_role_user.arn, f"{PARTNER}/chain")
        self.assertEqual(secret("theirs", temporary(second.credentials)).secret_data, "cross")
        self.refused("NoPermission", 403, self.assume, first, "another")
        self.refused("NoPermission", 403, self.assume, first, None)
        self.refused("NoPermission", 403, self.assume, temporary(second.credentials))

    def test_caller_identity(self):
        body = Sts(config(**STATIC)).get_caller_identity().body
        self.assertEqual((body.account_id, body.arn), (ACCOUNT, f"acs:ram::{ACCOUNT}:user/reader"))


class CredentialsTest(Conformance):
    """The credentials SDK: what an application would use."""

    def oidc(self, token):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(token)
            file.flush()
            provider = OIDCRoleArnCredentialsProvider(
                role_arn=ROLE,
                oidc_provider_arn=PROVIDER,
                oidc_token_file_path=file.name,
                role_session_name="file",
                sts_region_id="cn-hangzhou",
                enable_vpc=True,
            )
            return provider.get_credentials()

    def test_oidc_with_a_token_file(self):
        given = self.oidc(mint())
        body = secret("app/text", temporary_of(given))
        self.assertEqual(body.version_id, "v3")
        requests = admin("GET", "/requests")
        self.assertEqual([r["action"] for r in requests], ["AssumeRoleWithOIDC", "GetSecretValue"])
        self.assertEqual(requests[0]["host"], "sts-vpc.cn-hangzhou.aliyuncs.com")
        self.assertEqual(requests[1]["principal"], f"{ROLE}/file")

    def test_a_bad_token_file(self):
        for token, code in [("a.b.c", "OIDCToken.Invalid"), (mint(lifetimeSeconds=-1), "OIDCToken.Expired")]:
            with self.assertRaisesRegex(CredentialException, f"http_code: 401.*AuthenticationFail.{code}"):
                self.oidc(token)

    def ram_role(self, external_id):
        return RamRoleArnCredentialsProvider(
            credentials_provider=StaticAKCredentialsProvider(**STATIC),
            role_arn=PARTNER,
            role_session_name="v1",
            external_id=external_id,
            sts_endpoint="sts.cn-hangzhou.aliyuncs.com",
        )

    def test_assume_role_signed_the_old_way(self):
        given = self.ram_role(EXTERNAL_ID).get_credentials()
        self.assertEqual(secret("theirs", temporary_of(given)).secret_data, "cross")
        with self.assertRaisesRegex(CredentialException, "http_code: 403.*NoPermission"):
            self.ram_role("another").get_credentials()

    def test_a_client_with_a_credential_provider(self):
        client = Kms(config(credential=CredentialClient(provider=self.ram_role(EXTERNAL_ID))))
        self.assertEqual(secret("theirs", client=client).secret_data, "cross")


def temporary_of(credentials):
    return {
        "access_key_id": credentials.get_access_key_id(),
        "access_key_secret": credentials.get_access_key_secret(),
        "security_token": credentials.get_security_token(),
    }


class CoreTest(Conformance):
    """The older core SDK, which signs with HMAC-SHA1."""

    def get(self, client, name, method="POST"):
        request = CommonRequest()
        request.set_domain("kms.cn-hangzhou.aliyuncs.com")
        request.set_protocol_type("https")
        request.set_version("2016-01-20")
        request.set_action_name("GetSecretValue")
        request.set_method(method)
        request.add_query_param("SecretName", name)
        return json.loads(client.do_action_with_exception(request))

    def client(self, **more):
        return AcsClient(region_id="cn-hangzhou", verify=LAB["ca"], auto_retry=False, **more)

    def test_static_and_temporary_keys(self):
        static = self.client(ak=STATIC["access_key_id"], secret=STATIC["access_key_secret"])
        self.assertEqual(self.get(static, "app/text")["VersionId"], "v3")
        self.assertEqual(self.get(static, "app/text", "GET")["VersionId"], "v3")
        given = with_oidc(mint()).credentials
        token = StsTokenCredential(given.access_key_id, given.access_key_secret, given.security_token)
        self.assertEqual(self.get(self.client(credential=token), "app/text")["VersionId"], "v3")

    def test_errors(self):
        static = self.client(ak=STATIC["access_key_id"], secret=STATIC["access_key_secret"])
        with self.assertRaises(ServerException) as caught:
            self.get(static, "app/none")
        self.assertEqual((caught.exception.error_code, caught.exception.http_status), ("Forbidden.ResourceNotFound", 404))
        with self.assertRaises(ServerException) as caught:
            self.get(self.client(ak=STATIC["access_key_id"], secret="wrong"), "app/text")
        self.assertEqual((caught.exception.error_code, caught.exception.http_status), ("SignatureDoesNotMatch", 400))
        # What the SDK splits off and compares with its own.
        self.assertTrue(caught.exception.message.split(":")[1].startswith("POST&%2F&AccessKeyId"))


class MetadataTest(unittest.TestCase):
    """The role of the node, by tokens of version 2, which the emulated instance requires."""

    def provider(self, role=None):
        return EcsRamRoleCredentialsProvider(
            role_name=role, disable_imds_v1=True, async_update_enabled=False)

    def test_the_role_is_found_and_its_credentials_read_a_secret(self):
        for role in (None, "node"):
            client = Kms(config(credential=CredentialClient(provider=self.provider(role))))
            self.assertEqual(secret("app/text", client=client).version_id, "v3")

    def test_the_sdk_asks_as_the_fetcher_does(self):
        admin("DELETE", "/requests")
        self.provider().get_credentials()
        asked = [(it["method"], it["action"], it["form"]) for it in admin("GET", "/requests")]
        roles = "/latest/meta-data/ram/security-credentials/"
        token = ("PUT", "/latest/api/token", ["x-aliyun-ecs-metadata-token-ttl-seconds"])
        with_token = ["x-aliyun-ecs-metadata-token"]
        # It asks for a token each time; the fetcher keeps it.
        self.assertEqual(asked, [token, ("GET", roles, with_token), token, ("GET", roles + "node", with_token)])

    def test_a_role_that_the_instance_does_not_have(self):
        with self.assertRaises(CredentialException):
            self.provider("another").get_credentials()


if __name__ == "__main__":
    unittest.main(verbosity=2)
