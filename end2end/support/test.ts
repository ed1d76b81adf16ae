// What every test starts from: a topic and a group of its own, instances and brokers that end with the test, and tabs.
import { type BrowserContext, test as base, expect } from "@playwright/test";
import { randomUUID } from "node:crypto";
import { Feed } from "./feed.ts";
import { brokers } from "./kafka.ts";
import { Broker, Instance, type InstanceOptions } from "./ottla.ts";
import { Wire } from "./proxy.ts";

type Scope = "instance" | "group";

interface Fixtures {
  /// A name that no other test has, for a topic or a group.
  topic: string;
  /// Starts an instance over the real Kafka, which ends with the test.
  start: (options?: Partial<InstanceOptions>) => Promise<Instance>;
  /// Starts an embedded broker in a process of its own.
  startBroker: () => Promise<Broker>;
  /// Lays a wire that can be cut, to the first of these instances that answers.
  wire: (...instances: Instance[]) => Promise<Wire>;
  /// Opens the feed in a new tab, tall enough to hold some sixty rows. Without a scope, in that which the page takes.
  open: (url: string, scope?: Scope) => Promise<Feed>;
}

const TALL = { width: 1440, height: 2400 };

export const test = base.extend<Fixtures>({
  topic: async ({}, use) => {
    await use(`t-${randomUUID().slice(0, 8)}`);
  },

  start: async ({ topic }, use, info) => {
    const instances: Instance[] = [];
    await use(async (options = {}) => {
      const name = `ottla-${instances.length + 1}`;
      const instance = await Instance.start({ name, group: `g-${topic}`, topics: [topic], brokers: brokers(), ...options });
      instances.push(instance);
      return instance;
    });
    await Promise.all(instances.map((instance) => instance.stop()));
    if (info.status === info.expectedStatus) return;
    for (const { options, output } of instances) await info.attach(`log of ${options.name}`, { body: output, contentType: "text/plain" });
  },

  startBroker: async ({}, use) => {
    const started: Broker[] = [];
    await use(async () => {
      const broker = await Broker.start();
      started.push(broker);
      return broker;
    });
    await Promise.all(started.map((broker) => broker.dispose()));
  },

  wire: async ({}, use) => {
    const wires: Wire[] = [];
    await use(async (...instances) => {
      const wire = await Wire.to(...instances.map((instance) => instance.address));
      wires.push(wire);
      return wire;
    });
    await Promise.all(wires.map((wire) => wire.dispose()));
  },

  open: async ({ browser }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (url, scope) => {
      const context = await browser.newContext({ viewport: TALL });
      contexts.push(context);
      if (scope) await context.addCookies([{ name: "scope", value: scope, url }]);
      return Feed.open(await context.newPage(), url);
    });
    for (const context of contexts) await context.close();
  },
});

export { expect };
