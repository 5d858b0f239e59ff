"""Join everything into one stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import Aws, Fn, Stack

from infra.aws import names
from infra.aws.alarms import make_alarms
from infra.aws.announcing import make_messages
from infra.aws.callers import Seeds, make_operator, make_reader
from infra.aws.dashboard import make_dashboard
from infra.aws.endpoint import make_endpoint
from infra.aws.function_roles import make_remediator_role, make_rotator_role, make_scheduler_role, make_watcher_role
from infra.aws.functions import Program, make_function
from infra.aws.keys import make_key
from infra.aws.outputs import make_outputs
from infra.aws.own_resources import own_resources
from infra.aws.policy_sizes import require_policies_fit
from infra.aws.queues import make_alarm_topic, make_dead_letters
from infra.aws.schedule import bound_retries, make_schedule
from infra.aws.sealed import make_sealed_value
from infra.aws.stores import make_receipts_table, make_seed_secrets, make_state_table
from infra.aws.trust_size import require_trust_fits
from infra.aws.watching import show
from infra.aws.write_role import make_write_role
from remediator.aws.trust_policy import closed_document

if TYPE_CHECKING:
    from constructs import Construct

    from infra.assets.build import Asset
    from infra.assets.recipes import Assets
    from infra.aws.parameters import Parameters


class RemediatorStack(Stack):
    """Deploy the rotator, the remediator and the gate between them, for the account and region of whoever deploys."""

    def __init__(self, scope: Construct, parameters: Parameters, assets: Assets) -> None:
        super().__init__(scope, names.STACK, description="Remediator: repair settings through a gate that closes")
        require_trust_fits(names.REMEDIATOR_ROLE)
        self._parameters = parameters
        self._regions = parameters.regions or (Aws.REGION,)
        self._key = make_key(self)
        self._own = own_resources(self._key, (parameters.vendor_principal_arn, parameters.operator_principal_arn))
        self._seeds = Seeds(
            tuple(secret.ref for secret in make_seed_secrets(self, self._key)),
            self._key.key_arn,
        )
        self._sealed = make_sealed_value(self, self._key) if parameters.sealed else None
        self._make_roles()
        self._make_tables()
        self._dead_letters = make_dead_letters(self, self._key)
        self._make_rotator(assets.rotate)
        self._make_remediator(assets.remediate)
        self._make_watcher(assets.watch)
        make_messages(self, self._key, parameters.notify_email)
        make_alarms(self, make_alarm_topic(self, self._key, parameters.alarm_email))
        make_dashboard(self)
        self._make_outputs()
        require_policies_fit(self)

    def _make_roles(self) -> None:
        parameters = self._parameters
        self._reader = make_reader(self, parameters, self._seeds)
        self._operator = make_operator(self, parameters, self._seeds)
        self._remediator = make_remediator_role(
            self, self._key.key_arn, self._own, self._receipts_name(), by_hand=parameters.by_hand
        )
        opens = self._sealed.trust(self._remediator) if self._sealed else closed_document(self._remediator.attr_arn)
        self._write = make_write_role(self, opens, self._own, parameters.fixes, self._regions)

    def _make_tables(self) -> None:
        self._state = make_state_table(self, self._key)
        self._receipts = make_receipts_table(self, self._receipts_name(), self._key)
        # A principal that doesn't exist fails the roles: let it fail before there is a table that stays.
        self._receipts.node.add_dependency(self._reader, self._operator)

    def _make_rotator(self, asset: Asset) -> None:
        program = Program("Rotate", names.ROTATE_FUNCTION, names.ROTATE_HANDLER, names.ROTATE_SERVICE, 60, 1, asset)
        self._rotator = role = make_rotator_role(
            self, self._seeds, self._dead_letters, sealed=self._sealed, by_hand=self._parameters.by_hand
        )
        environment = {
            **self._both(),
            "SEED_SECRETS": ",".join(self._seeds.secrets),
            "WRITE_ROLE_NAME": self._write.ref,
            "REMEDIATOR_ROLE_ARN": self._remediator.attr_arn,
            **({"GATE_SECRET": self._sealed.secret} if self._sealed else {}),
        }
        self._rotate = make_function(self, program, role, self._key, self._parameters, environment)
        bound_retries(self, self._rotate, self._dead_letters)
        starter = make_scheduler_role(self, self._dead_letters, self._key.key_arn)
        make_schedule(self, self._rotate, starter, self._dead_letters)

    def _make_remediator(self, asset: Asset) -> None:
        program = Program(
            "Remediate", names.REMEDIATE_FUNCTION, names.REMEDIATE_HANDLER, names.REMEDIATE_SERVICE, 180, 5, asset
        )
        parameters = self._parameters
        environment = {
            **self._both(),
            "RECEIPTS_TABLE": self._receipts.table_name,
            "WRITE_ROLE_ARN": self._write.attr_arn,
            "GATE": parameters.gate,
            "READER_ROLE_ID": self._reader.attr_role_id,
            "OPERATOR_ROLE_ID": self._operator.attr_role_id,
            "ACCOUNT_ID": Aws.ACCOUNT_ID,
            "PARTITION": Aws.PARTITION,
            "FIXES": ",".join(parameters.fixes),
            "REGIONS": ",".join(self._regions),
            "VENDOR_ROLLBACK": "true" if parameters.vendor_rollback else "false",
            "RETENTION_DAYS": str(parameters.retention_days),
            "ACCOUNT_ALIAS": parameters.account_alias or Aws.ACCOUNT_ID,
            "OWN_RESOURCES": json.dumps(self._own.patterns(), separators=(",", ":")),
        }
        self._remediate = make_function(self, program, self._remediator, self._key, parameters, environment)
        callers = {"Reader": self._reader, "Operator": self._operator}
        self._endpoint = make_endpoint(self, self._remediate, callers)

    def _make_watcher(self, asset: Asset) -> None:
        program = Program("Watch", names.WATCH_FUNCTION, names.WATCH_HANDLER, names.WATCH_SERVICE, 30, 2, asset)
        role = make_watcher_role(self, self._key.key_arn, self._receipts_name())
        environment = {
            "RECEIPTS_TABLE": self._receipts.table_name,
            "REMEDIATOR_ROLE_ARN": self._remediator.attr_arn,
            "REMEDIATOR_ROLE_ID": self._remediator.attr_role_id,
            "ROTATOR_ROLE_ID": self._rotator.attr_role_id,
            "OPERATOR_ROLE_ID": self._operator.attr_role_id,
        }
        show(self, make_function(self, program, role, self._key, self._parameters, environment))

    def _both(self) -> dict[str, str]:
        return {
            "DEPLOYMENT": self._deployment(),
            "STATE_TABLE": self._state.table_name,
            "DELIVERY": self._parameters.delivery,
        }

    def _deployment(self) -> str:
        """Return the UUID at the end of the stack's id, which is new for every creation of the stack."""
        return Fn.select(2, Fn.split("/", Aws.STACK_ID))

    def _receipts_name(self) -> str:
        return self._parameters.receipts_table or f"{names.RECEIPTS_TABLE}-{self._deployment()}"

    def _make_outputs(self) -> None:
        make_outputs(
            self,
            {
                "Endpoint": (self._endpoint.attr_function_url, "For the vendor: where requests go"),
                "Region": (Aws.REGION, "For the vendor: the region of endpoint and seed records"),
                "ReaderRoleArn": (self._reader.attr_arn, "For the vendor: the role to assume"),
                "Delivery": (self._parameters.delivery, "For the vendor: whether seeds are read, or codes passed on"),
                "ExternalId": (self._parameters.external_id, "For the vendor: the external id it gave"),
                "Gate": (self._parameters.gate, "Whether STS compares a value per window, or the one that pads hide"),
                "Deployment": (self._deployment(), "For the vendor: the deployment's id"),
                "SeedSecrets": (",".join(self._seeds.secrets), "For the vendor: the seed ring, in the slots' order"),
                "OperatorRoleArn": (self._operator.attr_arn, "For your operators: the role to assume"),
                "StateTable": (self._state.table_name, "Control item, windows and counters"),
                "ReceiptsTable": (self._receipts.table_name, "The evidence; it stays when the stack is destroyed"),
                "Kept": (
                    f"{self._receipts.table_arn} {self._key.key_arn}",
                    "What stays when the stack is destroyed: note it down before, it is your evidence and its key",
                ),
                "RotateFunction": (
                    self._rotate.ref,
                    "Invoke it after deploying, to open at once",
                ),
                "RemediateFunction": (self._remediate.ref, "Behind the endpoint"),
                "WriteRoleArn": (self._write.attr_arn, "The role behind the gate"),
                "RemediatorRoleArn": (self._remediator.attr_arn, "The only role that the gate opens for"),
            },
        )
