// Where the program, the scripts and the results are. It runs nothing.
import { homedir } from "node:os";
import { join, resolve } from "node:path";

const cache = process.env.OTTLA_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "ottla");
const target = process.env.CARGO_TARGET_DIR ?? join(cache, "target");

export const end2end = resolve(import.meta.dirname, "..");
export const program = process.env.OTTLA_BIN ?? join(target, "debug/ottla");
/// Where the routes of the pages are named.
export const routes = resolve(end2end, "../app/src/pages.rs");
export const kafkaScript = resolve(end2end, "../scripts/kafka.sh");
export const python = join(cache, "venv/bin/python");
export const producer = join(end2end, "foreign/produce.py");
export const transactions = join(end2end, "foreign/transactions.py");
/// What the tests measure and picture; not in the repository.
export const figures = join(end2end, "figures");
export const screenshots = join(end2end, "screenshots");
