// How the Chromium is started that the tests and the measurements drive.
import { userInfo } from "node:os";

/// What keeps a Chromium that nobody sits at from calling home.
const quiet = [
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launchOptions = {
  // Unset: the one that Playwright installs itself.
  executablePath: process.env.CHROMIUM || undefined,
  args: [...quiet, ...(userInfo().uid === 0 ? ["--no-sandbox"] : [])],
};
