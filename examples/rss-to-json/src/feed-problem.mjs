/** The document is no feed that can be read; the message is for whoever sent it. */
export class FeedProblem extends Error {}
