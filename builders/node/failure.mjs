/** What the package or its dependencies are to blame for. */
export class BuildFailure extends Error {
  /** The last lines of the tool. @type {readonly string[]} */
  output;

  /** @param {string} message @param {readonly string[]} [output] */
  constructor(message, output = []) {
    super(message);
    this.name = "BuildFailure";
    this.output = output;
  }
}
