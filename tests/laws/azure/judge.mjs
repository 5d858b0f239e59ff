// Judge exchanges with Microsoft's own validator, oav, against the API descriptions named on the command line:
// one JSON per line in, one out.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [root, directory, ...swaggerPathsPattern] = process.argv.slice(2);
const { LiveValidator } = createRequire(`${root}/package.json`)("oav");

// The validator is chatty: nobody but this script writes to standard output.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
const answer = (value) => write(`${JSON.stringify(value)}\n`);

const validator = new LiveValidator({ directory, swaggerPathsPattern, git: { shouldClone: false } });
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
  answer({ request: told(verdict.requestValidationResult), response: told(verdict.responseValidationResult) });
}
