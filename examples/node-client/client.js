// A client in JavaScript: it has a connector server do one task, as an engine would.
//
//   node client.js ADDRESS TASK_TYPE KEY CONFIG [OUTPUT...]
//
// ADDRESS is HOST:PORT or unix:/PATH, CONFIG an object in JSON, each OUTPUT a whole number that the task declares. The same
// KEY means the same job, however often it is asked for. CONNECTORY_CLIENT_CA names the authority of a server with TLS,
// CONNECTORY_TOKEN the bearer token of one that wants it. SIGINT and SIGTERM end the job, and wait until it is gone.
import { transportTo } from "./connection.js";
import { Engine } from "./engine.js";

const [address, taskType, key, config, ...outputs] = process.argv.slice(2);
if (config === undefined) {
  console.error("usage: node client.js ADDRESS TASK_TYPE KEY CONFIG [OUTPUT...]");
  process.exit(2);
}

const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stopped.abort());

try {
  const engine = new Engine(transportTo(address), stopped.signal);
  const told = await engine.do(taskType, key, JSON.parse(config), outputs);
  console.log(JSON.stringify(told));
  process.exitCode = told.phase === "SUCCEEDED" ? 0 : 1;
} catch (error) {
  console.error(`client: ${error.message}`);
  process.exitCode = 1;
}
