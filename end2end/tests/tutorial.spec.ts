// The way of somebody who follows a Kafka tutorial, with Ottla alone: a topic is made, a message is sent from Swagger and seen live, the
// committed offset stands at the log's end, a restart consumes nothing again, another group everything, several instances share the
// work, and when one stops the others take over. Over the real Kafka and over the embedded broker. (What a broker's end looks like is
// in cluster.spec.ts.)
import type { Page } from "@playwright/test";
import type { Feed } from "../support/feed.ts";
import { type Instance, type InstanceOptions, place } from "../support/ottla.ts";
import { expect, test } from "../support/test.ts";

/// Sends from Swagger UI, and gives the place that the answer names.
async function sendFromSwagger(page: Page, ottla: Instance, topic: string, message: string): Promise<string> {
  await page.goto(`${ottla.url}/`);
  await page.getByRole("navigation").getByRole("link", { name: "API" }).click();
  const operation = page.locator(".opblock").filter({ has: page.locator('[data-path="/api/kafka/send"]') });
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.locator('tr[data-param-name="topic"] input').fill(topic);
  await operation.locator("textarea.body-param__text").fill(JSON.stringify(message));
  await operation.getByRole("button", { name: "Execute" }).click();
  const answer = operation.locator(".live-responses-table .response").first();
  await expect(answer.locator(".response-col_status")).toContainText("200");
  return place(JSON.parse(await answer.locator(".response-col_description pre.microlight, .response-col_description pre").first().innerText()));
}

/// Each of these places is in one of the tabs, and none in two.
async function shareExactly(tabs: Feed[], places: string[]): Promise<void> {
  const all = async () => (await Promise.all(tabs.map((tab) => tab.places()))).flat().sort();
  await expect.poll(all, { timeout: 30_000 }).toEqual([...places].sort());
}

for (const kafka of ["real Kafka", "embedded broker"] as const) {
  test(`a tutorial's whole way, ${kafka}`, async ({ start, startBroker, open, page, topic }) => {
    test.setTimeout(180_000);
    const over: Partial<InstanceOptions> = { env: { OTTLA_TOPICS__CREATE: "false" } };
    if (kafka === "embedded broker") over.brokers = (await startBroker()).brokers;

    // The topic is made by hand, before anybody wants it.
    const first = await start({ ...over, env: {}, group: `g-${topic}-first`, topics: [`${topic}-first`] });
    await page.goto(`${first.url}/topics?create=1`);
    await page.getByLabel("Name required").fill(topic);
    await page.getByLabel("Partitions").fill("3");
    await page.getByRole("button", { name: "Create topic" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(topic);
    await first.stop();
    const one = await start({ ...over, name: "ottla-1" });

    // Sent from Swagger, seen live.
    const tab = await open(one.url, "instance");
    const sent = [await sendFromSwagger(page, one, topic, "hello from Swagger")];
    await tab.showsExactly(sent);
    await expect(tab.row(sent[0] ?? "")).toContainText("hello from Swagger");
    sent.push(...(await one.produceMany(topic, "message", 8)));
    await tab.showsExactly(sent);

    // The committed offset is the log's end.
    await page.goto(`${one.url}/groups/g-${topic}`);
    const lag = page.getByRole("region", { name: "Lag" });
    await expect(lag.locator("tr.level")).toHaveCount(3, { timeout: 20_000 });

    // A restart consumes nothing again.
    await one.restart();
    await tab.isLive();
    const later = await one.produceMany(topic, "after the restart", 2);
    const again = await open(one.url, "instance");
    await again.showsExactly(later);

    // Another group consumes everything again.
    const other = await start({ ...over, name: "ottla-other", group: `g-${topic}-other` });
    await (await open(other.url, "instance")).showsExactly([...sent, ...later]);

    // A second and a third instance share the work, and nothing comes twice.
    const others = [await start({ ...over, name: "ottla-2" }), await start({ ...over, name: "ottla-3" })];
    const tabs = await Promise.all([one, ...others].map((instance) => open(instance.url, "instance")));
    await expect.poll(async () => (await fetch(`${one.url}/readyz`)).status).toBe(200);
    const shown = (await Promise.all(tabs.map((tab) => tab.places()))).flat();
    const shared = await one.produceMany(topic, "shared", 30);
    await shareExactly(tabs, [...shown, ...shared]);

    // One stops: the others take over.
    await others[1]?.stop();
    const rest = tabs.slice(0, 2);
    const before = (await Promise.all(rest.map((tab) => tab.places()))).flat();
    const after = await one.produceMany(topic, "taken over", 12);
    await shareExactly(rest, [...before, ...after]);
  });
}
