// Decides cases with @cloud-copilot/iam-simulate, an IAM evaluator that knows nothing of ours.
// Reads a JSON list of cases, writes a JSON list of "Allowed", "ImplicitlyDenied", "ExplicitlyDenied" or "error: …".
// It is AGPL: only tests run it, as a process of its own, and nothing of it is shipped.
import { readFileSync } from "node:fs";
import { runSimulation } from "@cloud-copilot/iam-simulate";

const named = (policies) => policies.map((policy, number) => ({ name: `policy-${number}`, policy }));

async function decide(item) {
  const simulation = {
    request: {
      principal: item.principal,
      action: item.action,
      resource: { resource: item.resource, accountId: item.resource_account },
      contextVariables: item.context,
    },
    sessionPolicy: item.session ?? undefined,
    identityPolicies: named(item.identity),
    serviceControlPolicies: item.control.map((policy, number) => ({
      orgIdentifier: `unit-${number}`,
      policies: named([policy]),
    })),
    resourceControlPolicies: [],
    resourcePolicy: item.policy ?? undefined,
    permissionBoundaryPolicies: item.boundary ? named([item.boundary]) : undefined,
  };
  const outcome = await runSimulation(simulation, { simulationMode: "Strict" });
  if (outcome.resultType === "error") {
    return `error: ${JSON.stringify(outcome.errors)}`;
  }
  return outcome.overallResult;
}

const cases = JSON.parse(readFileSync(0, "utf8"));
const decisions = [];
for (const item of cases) {
  decisions.push(await decide(item));
}
process.stdout.write(JSON.stringify(decisions));
