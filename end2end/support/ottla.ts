// An instance of Ottla, and its embedded broker alone: the real program in a process of its own.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "./paths.ts";
import { freePort } from "./ports.ts";
import { Running, eventually } from "./process.ts";

/// What `POST /api/kafka/send` answers.
export interface Receipt {
  topic: string;
  partition: number;
  offset: string;
}

export interface InstanceOptions {
  name: string;
  group: string;
  topics: string[];
  /// None: the embedded broker.
  brokers?: string;
  /// The embedded broker's data.
  dataDir?: string;
  env?: NodeJS.ProcessEnv;
}

/// `orders[2]@1043`: how a place is written everywhere.
export function place({ topic, partition, offset }: Receipt): string {
  return `${topic}[${partition}]@${offset}`;
}

export class Instance {
  private process: Running;

  private constructor(
    readonly options: InstanceOptions,
    private readonly port: number,
  ) {
    this.process = this.spawn();
  }

  static async start(options: InstanceOptions): Promise<Instance> {
    const instance = await Instance.launch(options);
    return instance.unless(instance.ready());
  }

  /// Starts it and waits for its page alone: Kafka may not be there yet.
  static async launch(options: InstanceOptions): Promise<Instance> {
    const instance = new Instance(options, await freePort());
    return instance.unless(eventually(`${options.name} answers`, 15_000, async () => (await fetch(`${instance.url}/healthz`)).ok || undefined));
  }

  /// Itself, unless that fails: then it ends, and the failure tells what it printed.
  private async unless(attempt: Promise<unknown>): Promise<Instance> {
    try {
      await attempt;
      return this;
    } catch (error) {
      await this.kill();
      throw new Error(`${(error as Error).message}\n${this.output}`, { cause: error });
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get address(): { host: string; port: number } {
    return { host: "127.0.0.1", port: this.port };
  }

  get pid(): number {
    return this.process.pid;
  }

  get output(): string {
    return this.process.output.join("");
  }

  private spawn(): Running {
    const { name, group, topics, brokers, dataDir, env } = this.options;
    const args = ["--listen", `127.0.0.1:${this.port}`, "--instance", name, "--group", group, "--topics", topics.join(",")];
    if (brokers) args.push("--brokers", brokers);
    if (dataDir) args.push("--data-dir", dataDir);
    return new Running(program, args, { OTTLA_TOPICS__PARTITIONS: "3", ...env });
  }

  /// Waits until Kafka answers and the group has assigned this instance its share.
  async ready(): Promise<void> {
    await eventually(`${this.options.name} is ready`, 30_000, async () => {
      if (this.process.hasEnded) throw new Error(`it ended: ${this.output}`);
      const response = await fetch(`${this.url}/readyz`);
      if (!response.ok) throw new Error(await response.text());
      return true;
    });
  }

  /// Whether `/readyz` says so now.
  async isReady(): Promise<boolean> {
    return fetch(`${this.url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  }

  /// A clean stop; gives the milliseconds that it took.
  stop(): Promise<number> {
    return this.process.end("SIGTERM");
  }

  /// A crash.
  async kill(): Promise<void> {
    await this.process.end("SIGKILL");
  }

  /// The same instance again, at the same address.
  async restart(): Promise<void> {
    await this.stop();
    this.process = this.spawn();
    await this.ready();
  }

  /// Produces as a program does, through HTTP.
  async produce(topic: string, value: string, where: { key?: string; partition?: number } = {}): Promise<Receipt> {
    const query = new URLSearchParams({ topic });
    if (where.key !== undefined) query.set("key", where.key);
    if (where.partition !== undefined) query.set("partition", String(where.partition));
    const response = await fetch(`${this.url}/api/kafka/send?${query}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(value),
    });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()) as Receipt;
  }

  /// `count` messages, one after another: `prefix 0`, `prefix 1`, … Gives their places.
  async produceMany(topic: string, prefix: string, count: number): Promise<string[]> {
    const places = [];
    for (let n = 0; n < count; n++) places.push(place(await this.produce(topic, `${prefix} ${n}`)));
    return places;
  }

  /// Resident memory in MB, and the share of one core that it takes over `milliseconds`. From /proc: Linux only.
  async rest(milliseconds: number): Promise<{ residentMb: number; corePercent: number }> {
    const ticks = async () => {
      const fields = (await readFile(`/proc/${this.pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
      return Number(fields[11]) + Number(fields[12]);
    };
    const began = await ticks();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    const busy = (await ticks()) - began;
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    const residentKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
    // A tick is a hundredth of a second (USER_HZ) on every Linux that there is.
    return { residentMb: residentKb / 1024, corePercent: (busy * 10 * 100) / milliseconds };
  }
}

/// `ottla broker`: the embedded broker alone, with data that lasts as long as this object.
export class Broker {
  private process: Running;

  private constructor(
    private readonly port: number,
    private readonly dataDir: string,
  ) {
    this.process = this.spawn();
  }

  static async start(): Promise<Broker> {
    const broker = new Broker(await freePort(), await mkdtemp(join(tmpdir(), "ottla-broker-")));
    return broker;
  }

  get brokers(): string {
    return `127.0.0.1:${this.port}`;
  }

  private spawn(): Running {
    return new Running(program, ["broker", "--data-dir", this.dataDir], { OTTLA_EMBEDDED__LISTEN: this.brokers });
  }

  async stop(): Promise<void> {
    await this.process.end("SIGTERM");
  }

  async startAgain(): Promise<void> {
    this.process = this.spawn();
  }

  async dispose(): Promise<void> {
    await this.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
