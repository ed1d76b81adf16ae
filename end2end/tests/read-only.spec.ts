// An instance that is read-only, in a browser: the feed goes on, nothing is offered that changes something, and nothing fails without it.
import { Feed } from "../support/feed.ts";
import { expect, test } from "../support/test.ts";

const READ_ONLY = { OTTLA_READ_ONLY: "true" };

test("the feed is live without a composer, and no key, row or empty list leads to one", async ({ start, page, topic }) => {
  const writable = await start();
  const places = await writable.produceMany(topic, "seen", 3);
  const ottla = await start({ group: `g-${topic}-reader`, env: READ_ONLY });
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));

  const tab = await Feed.open(page, ottla.url);
  await tab.showsExactly(places);
  await expect(page.getByText("Read-only", { exact: true })).toBeVisible();
  await expect(tab.composer).toHaveCount(0);
  const navigation = page.getByRole("navigation", { name: "Main" });
  await expect(navigation.getByRole("link", { name: "Topics" })).toBeVisible();
  await expect(navigation.getByRole("link", { name: "Produce" })).toHaveCount(0);
  const later = await writable.produceMany(topic, "comes live", 1);
  await tab.showsExactly([...places, ...later]);

  await page.keyboard.press("c");
  await page.keyboard.press("Control+Enter");
  await page.keyboard.press("Shift+?");
  await expect(page.getByRole("dialog")).toBeVisible();
  await expect(page.getByRole("dialog").getByText("Ctrl ↵")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await tab.rows.first().click();
  const drawer = page.locator(".drawer.open");
  await expect(drawer).toContainText("comes live");
  await expect(drawer.locator("footer").getByRole("link")).toHaveCount(1);
  await expect(drawer.locator("footer").getByRole("button")).toHaveCount(0);
  expect(complaints).toEqual([]);
});

test("an empty feed offers to look into the log and not to send", async ({ start, page, topic }) => {
  await start();
  const ottla = await start({ group: `g-${topic}-reader`, env: READ_ONLY });
  await Feed.open(page, ottla.url);
  await expect(page.locator("#over").getByRole("link")).toHaveCount(1);
});

test("what was opened before says why it is refused", async ({ start, page, topic }) => {
  await start();
  const ottla = await start({ group: `g-${topic}-reader`, env: READ_ONLY });
  for (const path of ["/produce", "/produce/many", "/topics?create=1", `/groups/g-${topic}/reset`]) {
    await page.goto(ottla.url + path);
    await expect(page.getByRole("heading", { level: 2, name: "Nothing can be changed here" })).toBeVisible();
  }
  await page.goto(`${ottla.url}/topics/${topic}`);
  await expect(page.getByRole("main").locator("form[method=post]")).toHaveCount(0);
  const refused = await page.request.post(`${ottla.url}/topics/${topic}/delete`, { headers: { origin: ottla.url }, form: { confirm: topic } });
  expect(refused.status()).toBe(403);
  expect(await refused.text()).toContain("Nothing can be changed here");
});
