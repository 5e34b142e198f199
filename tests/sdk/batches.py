"""Several secrets in one call: the official SDK and the emulator must agree. Run as `conformance.py` is."""

import json
import unittest

from conformance import ACCOUNT, STATIC, Conformance, config, mint, temporary, with_oidc
from lab import admin

from alibabacloud_kms20160120 import models as kms
from alibabacloud_kms20160120.client import Client as Kms


class BatchTest(Conformance):
    """Several secrets in one call, each with a value or an error of its own."""

    def several(self, *wanted, credential=STATIC, **more):
        item = kms.BatchGetSecretValueRequestSecretsList
        items = [item(secret_name=one) if isinstance(one, str) else item(**one) for one in wanted]
        client = Kms(config(**credential, **more))
        return client.batch_get_secret_value(kms.BatchGetSecretValueRequest(secrets_list=items)).body

    def test_values(self):
        arn = f"acs:kms:cn-hangzhou:{ACCOUNT}:secret/app/empty"
        older = {"secret_name": "app/text", "version_stage": "ACSPrevious"}
        rds = {"secret_name": "app/rds", "fetch_extended_config": "true"}
        body = self.several(older, "app/binary", arn, rds, network="vpc")
        self.assertEqual([value.secret_data for value in body.secret_values[:3]], ["second", "AAECA//+/fw=", ""])
        self.assertEqual([value.secret_data_type for value in body.secret_values], ["text", "binary", "text", "text"])
        self.assertEqual([value.secret_type for value in body.secret_values], ["Generic"] * 3 + ["Rds"])
        self.assertEqual(body.secret_values[0].version_stages.version_stage, ["ACSPrevious"])
        self.assertEqual(json.loads(body.secret_values[3].extended_config)["SecretSubType"], "SingleUser")
        self.assertEqual(body.errors, [])
        self.assertRegex(body.request_id, "^[0-9A-F-]{36}$")
        (request,) = admin("GET", "/requests")
        self.assertEqual((request["action"], request["query"], request["form"]), ("BatchGetSecretValue", ["SecretsList"], []))

    def test_errors_of_parts_fail_no_call(self):
        given = temporary(with_oidc(mint()).credentials)
        body = self.several("app/text", "other/text", "app/none", "app/disabled", "app/white space", credential=given)
        self.assertEqual([value.secret_name for value in body.secret_values], ["app/text"])
        self.assertEqual(
            [(error.secret_name, error.code, error.http_status) for error in body.errors],
            [
                ("other/text", "Forbidden.NoPermission", 403),
                ("app/none", "Forbidden.ResourceNotFound", 404),
                ("app/disabled", "Rejected.Disabled", 409),
                ("app/white space", "InvalidParameter", 400),
            ],
        )
        self.assertTrue(all(error.message for error in body.errors))

    def test_errors_of_the_call(self):
        self.refused("InvalidParameter", 400, self.several)
        self.refused("InvalidParameter", 400, self.several, *[f"app/{number}" for number in range(21)])
        self.refused("SignatureDoesNotMatch", 400, self.several, "app/text", credential={**STATIC, "access_key_secret": "wrong"})
        admin("POST", "/faults", {"count": 1, "effect": {"kind": "rejected_throttling"}})
        self.refused("Rejected.Throttling", 429, self.several, "app/text")
        admin("POST", "/faults", {"count": 1, "effect": {"kind": "refuse", "status": 404, "code": "InvalidApi.NotFound", "message": "none"}})
        self.refused("InvalidApi.NotFound", 404, self.several, "app/text")

    def test_names_that_need_encoding(self):
        (error,) = self.several("app/db secret*~+密").errors
        self.assertEqual((error.secret_name, error.code), ("app/db secret*~+密", "InvalidParameter"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
