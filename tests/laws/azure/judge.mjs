// Judge exchanges with Microsoft's own validator, oav, against Azure's API descriptions: one JSON per line in, one out.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [root, directory] = process.argv.slice(2);
const { LiveValidator } = createRequire(`${root}/package.json`)("oav");

// The validator is chatty: nobody but this script writes to standard output.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
const answer = (value) => write(`${JSON.stringify(value)}\n`);

const patterns = [
  "compute/resource-manager/Microsoft.Compute/stable/2021-12-01/disk.json",
  "keyvault/resource-manager/Microsoft.KeyVault/stable/2021-10-01/keyvault.json",
  "network/resource-manager/Microsoft.Network/stable/2021-05-01/networkSecurityGroup.json",
  "postgresql/resource-manager/Microsoft.DBforPostgreSQL/stable/2021-06-01/postgresql.json",
  "sql/resource-manager/Microsoft.Sql/preview/2021-11-01-preview/Servers.json",
  "sql/resource-manager/Microsoft.Sql/preview/2021-11-01-preview/TransparentDataEncryptions.json",
  "storage/resource-manager/Microsoft.Storage/stable/2021-09-01/storage.json",
  "web/resource-manager/Microsoft.Web/stable/2021-03-01/WebApps.json",
].map((file) => `specification/${file}`);

const validator = new LiveValidator({ directory, swaggerPathsPattern: patterns, git: { shouldClone: false } });
await validator.initialize();

const told = (result) => ({
  operation: result.operationInfo?.operationId ?? null,
  errors: [
    ...(result.errors ?? []).map((error) => `${error.code}: ${error.message} ${(error.pathsInPayload ?? []).join(" ")}`),
    ...(result.runtimeException ? [`${result.runtimeException.code}: ${result.runtimeException.message}`] : []),
  ],
});

answer({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const verdict = await validator.validateLiveRequestResponse(JSON.parse(line));
  const { requestValidationResult: request, responseValidationResult: response } = verdict;
  answer({ request: told(request), response: told(response) });
}
