/** What to do instead of what Lambda has and Isola has not, for every kind of file that says it. */
export const insteadOfLambda = {
  layers:
    "there are no layers: name what they hold in package.json or requirements.txt, or copy it into the code",
  vpc: "there is no VPC: a function with the driver docker and `network: internet` reaches public addresses alone",
  role: "functions have no role: give them keys through `env` for what they call",
  deadLetters:
    "there are no dead letters: a failed call is an invocation with its outcome (`isola invocations list --outcome function_error`)",
  fileSystem: "there is no file system beside /tmp",
  tracing: "tracing is a setting of the server (docs/tracing.md)",
};
