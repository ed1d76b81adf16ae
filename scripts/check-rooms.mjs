// Reads `cargo metadata` and says which dependencies the rooms may not have. Called by check-rooms.sh.
import { readFileSync } from "node:fs";

// Which room may know which.
const rooms = {
  wire: [],
  kafka: ["wire"],
  feed: ["wire"],
  engine: ["wire", "kafka", "feed"],
  app: ["wire", "engine"],
  server: ["wire", "engine", "app", "client"],
  frontend: ["app"],
  client: ["wire"],
  load: ["wire", "kafka", "client"],
};
// Libraries that only these rooms may use.
const only = {
  rdkafka: ["kafka"],
  "nisshi-broker": ["kafka"],
  "nisshi-storage": ["kafka"],
  axum: ["app", "server"],
  leptos: ["app", "server", "frontend"],
  "web-sys": ["app"],
  "tokio-tungstenite": ["client"],
};
const wrong = [];
for (const { name, dependencies } of JSON.parse(readFileSync(0, "utf8")).packages) {
  if (!rooms[name]) wrong.push(`${name} is no room that this check knows`);
  for (const { name: other, kind, optional } of dependencies) {
    if (kind) continue; // Tests and build scripts may know more.
    if (rooms[other] && !rooms[name]?.includes(other)) wrong.push(`${name} may not depend on ${other}`);
    if (only[other] && !only[other].includes(name)) wrong.push(`${other} belongs to ${only[other]}, not to ${name}`);
    if (name === "app" && other === "engine" && !optional) wrong.push("app may depend on engine for its feature ssr only");
  }
}
for (const line of wrong) console.error(line);
process.exit(wrong.length ? 1 : 0);
