// What an engine does with a job: create it under a key, follow it, read its log, and delete it when it is stopped.
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { TaskExecution_Phase as Phase } from "./wire/connectory/v1/execution_pb.js";
import { AsyncConnectorService } from "./wire/connectory/v1/services_pb.js";
import { SimpleType } from "./wire/connectory/v1/types_pb.js";

const CALL_LIMIT = 10_000;
const LATER = new Set([Code.Unavailable, Code.ResourceExhausted, Code.DeadlineExceeded]);
const NOBODY_THERE = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET"]);
const ENDED = new Set([Phase.SUCCEEDED, Phase.FAILED, Phase.ABORTED, Phase.RETRYABLE_FAILED]);

export class Engine {
  constructor(transport, stopped) {
    this.jobs = createClient(AsyncConnectorService, transport);
    this.stopped = stopped;
  }

  // Starts the job, follows it to its end, and reads its log. When it is stopped before, the job is deleted.
  async do(taskType, key, config, outputs) {
    const template = {
      id: { name: "node-client" },
      type: taskType,
      custom: config,
      interface: { outputs: declared(outputs) },
    };
    const taskCategory = { name: taskType, version: 0 };
    const job = { taskCategory, resourceMeta: new Uint8Array() };
    let resource;
    try {
      // Safe to repeat, because the key says which job is meant.
      const created = await this.again("CreateTask", this.stopped, (options) =>
        this.jobs.createTask({ template, idempotencyKey: key }, options),
      );
      job.resourceMeta = created.resourceMeta;
      resource = await this.follow(job);
    } catch (error) {
      if (!this.stopped.aborted) throw error;
      // By its key, should the create not have been answered; repeated until it is confirmed.
      await this.again("DeleteTask", undefined, (options) =>
        this.jobs.deleteTask({ ...job, idempotencyKey: key }, options),
      );
      return { handle: text(job.resourceMeta), phase: "ABORTED", outputs: {}, log: [] };
    }
    const phase = Phase[resource.phase];
    const log = await this.lines(job);
    return { handle: text(job.resourceMeta), phase, message: resource.message, outputs: integers(resource), log };
  }

  // Asks until the job has ended. A poll that fails is no job that failed.
  async follow(job) {
    for (;;) {
      const { resource } = await this.again("GetTask", this.stopped, (options) => this.jobs.getTask(job, options));
      if (ENDED.has(resource.phase)) return resource;
      const later = resource.pollAfter;
      const wait = later ? Number(later.seconds) * 1000 + later.nanos / 1e6 : 200;
      await sleep(wait, undefined, { signal: this.stopped });
    }
  }

  async lines(job) {
    const lines = [];
    try {
      for await (const part of this.jobs.getTaskLogs(job, { timeoutMs: CALL_LIMIT })) {
        if (part.part.case === "body") lines.push(...part.part.value.structuredLines.map((line) => line.message));
      }
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unimplemented) throw error;
    }
    return lines;
  }

  // Repeats a call that may succeed later, each time after a longer pause.
  async again(name, signal, call) {
    for (let wait = 100; ; wait = Math.min(2 * wait, 5000)) {
      try {
        return await call({ timeoutMs: CALL_LIMIT, signal });
      } catch (error) {
        if (signal?.aborted || !mayPass(error)) throw error;
        console.error(`${name} again: ${error.message}`);
      }
      await sleep(wait, undefined, { signal });
    }
  }
}

function mayPass(error) {
  return LATER.has(ConnectError.from(error).code) || NOBODY_THERE.has(error.cause?.code);
}

function text(handle) {
  return new TextDecoder().decode(handle);
}

function declared(outputs) {
  const kind = { type: { case: "simple", value: SimpleType.INTEGER } };
  return { variables: Object.fromEntries(outputs.map((name) => [name, { type: kind }])) };
}

function integers(resource) {
  const found = Object.entries(resource.outputs?.literals ?? {}).map(([name, literal]) => {
    const scalar = literal.value.value;
    const primitive = scalar.value.value;
    return [name, Number(primitive.value.value)];
  });
  return Object.fromEntries(found);
}
