/** Of the request for a connection of a debugger: `Upgrade: isola-debugger`. */
export const DEBUGGER_UPGRADE = "isola-debugger";
