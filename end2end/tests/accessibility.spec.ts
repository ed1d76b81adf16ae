// Keyboard alone, what axe finds on every page, zoom and narrow windows, reduced motion.
import { readFile } from "node:fs/promises";
import type { Locator, Page } from "@playwright/test";
import { axeFindsNothing, scrollsNothingSideways } from "../support/access.ts";
import { Feed } from "../support/feed.ts";
import { everyPage } from "../support/pages.ts";
import { routes } from "../support/paths.ts";
import { eventually } from "../support/process.ts";
import { expect, test } from "../support/test.ts";

/// Opens what is folded, so that it is looked at too.
const unfold = (page: Page) =>
  page.locator("details, .more input").evaluateAll((all) =>
    all.forEach((one) => {
      if (one instanceof HTMLInputElement) one.checked = true;
      else one.setAttribute("open", "");
    }),
  );

for (const scheme of ["light", "dark"] as const) {
  test(`axe finds nothing, ${scheme}`, async ({ start, page, topic }) => {
    const ottla = await start();
    await ottla.produce(topic, '{"orderId":"o-0"}', { partition: 0 });
    await ottla.produceMany(topic, '{"orderId":"o-1","total":1280}', 4);
    test.setTimeout(180_000);
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(ottla.url);
    await expect(page.locator(".conn")).toHaveAttribute("data-state", "live");
    await expect(page.locator("[role=row][data-place]")).toHaveCount(5);
    await axeFindsNothing(page, "feed");
    await page.locator("[role=row][data-place]").first().click();
    await expect(page.locator(".drawer.open")).toBeVisible();
    await axeFindsNothing(page, "feed with the drawer");

    await page.goto(`${ottla.url}/produce`);
    await expect(page.locator("html[data-hydrated]")).toBeAttached();
    await axeFindsNothing(page, "produce");
    await page.getByRole("main").locator("form").first().getByRole("button", { name: /send/i }).click();
    await expect(page.locator("[aria-invalid=true]").first()).toBeVisible();
    await axeFindsNothing(page, "produce with errors");

    for (const path of everyPage(topic, `g-${topic}`)) {
      await page.goto(ottla.url + path);
      await unfold(page);
      await axeFindsNothing(page, path);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(ottla.url);
    await expect(page.locator(".conn")).toHaveAttribute("data-state", "live");
    await axeFindsNothing(page, "feed on a phone");
  });
}

test("keyboard alone: compose, send, walk the list, open, close, filter, pause", async ({ start, open }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  const { keyboard } = tab.page;

  // The first stop skips the navigation.
  await keyboard.press("Tab");
  await expect(tab.page.locator("a.skip")).toBeFocused();

  // `c` composes, Ctrl+Enter sends.
  await tab.page.locator("a.skip").blur();
  for (const value of ["first", "second"]) {
    await keyboard.press("c");
    await expect(tab.message).toBeFocused();
    await keyboard.type(value);
    await keyboard.press("Control+Enter");
    await expect(tab.rows.filter({ hasText: value })).toHaveCount(1);
    await tab.message.blur();
  }

  // `j` and `k` walk, Enter opens, Escape closes and gives the focus back.
  await keyboard.press("j");
  await expect(tab.rows.nth(0)).toBeFocused();
  await keyboard.press("j");
  await expect(tab.rows.nth(1)).toBeFocused();
  await keyboard.press("k");
  await expect(tab.rows.nth(0)).toBeFocused();
  await keyboard.press("Enter");
  await expect(tab.page.locator(".drawer.open")).toBeVisible();
  await keyboard.press("Escape");
  await expect(tab.page.locator(".drawer.open")).toHaveCount(0);
  await expect(tab.rows.nth(0)).toBeFocused();

  // `/` filters.
  await keyboard.press("/");
  await expect(tab.page.getByRole("searchbox")).toBeFocused();
  await keyboard.type("first");
  await expect(tab.rows).toHaveCount(1);
  await tab.page.getByRole("searchbox").fill("");
  await keyboard.press("Escape");

  // Space pauses and resumes.
  await keyboard.press("Space");
  await expect(tab.page.locator("#pause")).toHaveAttribute("aria-pressed", "true");
  await keyboard.press("Space");
  await expect(tab.page.locator("#pause")).toHaveAttribute("aria-pressed", "false");

  // `?` lists the keys.
  await keyboard.press("Shift+?");
  await expect(tab.page.getByRole("dialog")).toBeVisible();
  await keyboard.press("Escape");
  await expect(tab.page.getByRole("dialog")).toBeHidden();
});

test("single keys are off: the list is walked all the same, and nothing else takes them", async ({ start, page, topic }) => {
  const ottla = await start();
  await page.context().addCookies([{ name: "keys", value: "off", url: ottla.url }]);
  const tab = await Feed.open(page, ottla.url);
  await tab.showsExactly(await ottla.produceMany(topic, "row", 3));
  const { keyboard } = page;
  const pause = page.locator("#pause");
  for (const key of ["j", "ArrowDown", "Space", "/", "c", "Enter"]) await keyboard.press(key);
  await expect(page.locator("body")).toBeFocused();
  await expect(pause).toHaveAttribute("aria-pressed", "false");
  await expect(page.locator(".drawer.open")).toHaveCount(0);

  await tab.grid.focus();
  await keyboard.press("ArrowDown");
  await expect(tab.rows.nth(0)).toBeFocused();
  await keyboard.press("j");
  await expect(tab.rows.nth(0)).toBeFocused();
  await keyboard.press("ArrowDown");
  await expect(tab.rows.nth(1)).toBeFocused();
  await keyboard.press("ArrowUp");
  await expect(tab.rows.nth(0)).toBeFocused();
  await keyboard.press("Space");
  await expect(pause).toHaveAttribute("aria-pressed", "true");
  await keyboard.press("Enter");
  await expect(page.locator(".drawer.open")).toBeVisible();
  await keyboard.press("Escape");
  await expect(tab.rows.nth(0)).toBeFocused();
});

test("what scrolls keeps the keys that scroll it, and the drawer the focus when it shows another message", async ({ start, open, topic }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  await tab.showsExactly(await ottla.produceMany(topic, "row", 3));
  const { keyboard } = tab.page;
  const drawer = tab.page.locator("#drawer");
  const title = drawer.locator("h2").first();
  await tab.rows.nth(0).click();
  const first = (await title.textContent()) ?? "";
  await drawer.locator("pre:visible").first().focus();
  for (const key of ["ArrowDown", "Space", "ArrowUp"]) await keyboard.press(key);
  await expect(tab.page.locator("#pause")).toHaveAttribute("aria-pressed", "false");
  await expect(title).toHaveText(first);

  // The next message's value has the focus that this one's had.
  await keyboard.press("j");
  await expect(title).not.toHaveText(first);
  await expect(drawer.locator("#whole-value")).toBeFocused();
  for (const name of ["Newer message", "Older message"]) {
    const before = (await title.textContent()) ?? "";
    await drawer.getByRole("button", { name }).focus();
    await keyboard.press("Enter");
    await expect(title).not.toHaveText(before);
    await expect(drawer.getByRole("button", { name })).toBeFocused();
  }
});

test("a row that becomes consumed keeps the focus", async ({ start, open, topic }) => {
  const [one, two] = [await start(), await start()];
  const whole = await open(one.url, "group");
  // Frozen for less than the session time-out: it keeps its partitions and consumes nothing.
  process.kill(two.pid, "SIGSTOP");
  await whole.showsExactly(await one.produceMany(topic, "waits", 12));
  // The others are consumed within a moment.
  const place = await eventually("one waits", 5_000, async () => {
    const places = await whole.rows.filter({ hasText: "in the log" }).evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.place));
    return places.length < 12 ? places[0] : undefined;
  });
  const row = whole.row(place);
  await row.focus();
  process.kill(two.pid, "SIGCONT");
  await expect(row).not.toContainText("in the log", { timeout: 20_000 });
  await expect(row).toBeFocused();
  await expect(row).toHaveAttribute("tabindex", "0");
});

test("on a phone the drawer that covers all has the focus, and the row has it again", async ({ start, page, topic }) => {
  const ottla = await start();
  await page.setViewportSize({ width: 390, height: 844 });
  const tab = await Feed.open(page, ottla.url);
  await tab.showsExactly(await ottla.produceMany(topic, "row", 2));
  await tab.rows.nth(1).focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#drawer")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(tab.rows.nth(1)).toBeFocused();
});

test("a link of a page that is kept live keeps the focus while what is around it is written anew", async ({ start, page, topic }) => {
  const ottla = await start();
  await page.goto(`${ottla.url}/groups`);
  await expect(page.locator("#stream")).toHaveAttribute("data-state", "live", { timeout: 20_000 });
  const row = page.locator("#groups-table tr").filter({ hasText: `g-${topic}` });
  await row.getByRole("link").focus();
  await expect(row.locator("td").nth(2)).toHaveText("1");
  await start();
  await expect(row.locator("td").nth(2)).toHaveText("2", { timeout: 20_000 });
  await expect(row.getByRole("link")).toBeFocused();
});

test("`/` goes to the search of each page that has one", async ({ start, page, topic }) => {
  const ottla = await start();
  for (const path of ["/", "/topics", "/cluster", `/topics/${topic}`]) {
    await page.goto(ottla.url + path);
    await expect(page.locator("html[data-hydrated]")).toBeAttached();
    await page.keyboard.press("/");
    await expect(page.getByRole("main").getByRole("searchbox").first(), path).toBeFocused();
  }
});

test("a header that is removed from a message leaves the focus in the form", async ({ start, page }) => {
  const ottla = await start();
  await page.goto(`${ottla.url}/produce`);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  await page.locator("[data-do=add-header]").click();
  const remove = page.locator("#headers [data-do=remove-header]").last();
  await remove.focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("[data-do=add-header]")).toBeFocused();
});

test("the list is one tab stop", async ({ start, open, topic }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  await tab.showsExactly(await ottla.produceMany(topic, "row", 5));
  const stops = await tab.grid.evaluate((grid) => {
    const focusable = grid.querySelectorAll<HTMLElement>("[tabindex='0'], a:not([tabindex='-1']), button:not([tabindex='-1'])");
    return focusable.length + (grid.tabIndex === 0 ? 1 : 0);
  });
  expect(stops).toBe(1);
});

test("every page is among those that are looked at", async () => {
  const patterns = [...(await readFile(routes, "utf8")).matchAll(/path!\("([^"]+)"\)/g)].map((found) => found[1] ?? "");
  expect(patterns.length).toBeGreaterThan(5);
  const paths = everyPage("topic", "group").map((path) => path.replace(/\?.*/, ""));
  const unseen = patterns.filter((route) => !paths.some((path) => new RegExp(`^${route.replaceAll(/:[a-z]+/g, "[^/]+")}$`).test(path)));
  expect(unseen).toEqual([]);
});

/// A window of 1280 pixels at 200 %, and a phone.
for (const [what, width, deviceScaleFactor, locales] of [
  ["200 %", 640, 2, ["en"]],
  ["390 pixels", 390, 1, ["en", "zh-Hant"]],
] as const) {
  test(`no page scrolls sideways at ${what}`, async ({ start, browser, topic }) => {
    test.setTimeout(120_000);
    const ottla = await start();
    await ottla.produce(topic, `{"orderId":"${"o-1".repeat(60)}","total":1280}`, { partition: 0 });
    for (const locale of locales) {
      const context = await browser.newContext({ viewport: { width, height: 844 }, deviceScaleFactor, locale });
      const page = await context.newPage();
      for (const path of everyPage(topic, `g-${topic}`)) {
        await page.goto(ottla.url + path);
        await expect(page.locator("html[data-hydrated]")).toBeAttached();
        await unfold(page);
        await scrollsNothingSideways(page, `${path} in ${locale}`);
      }
      await page.goto(ottla.url);
      await expect(page.locator("html[data-hydrated]")).toBeAttached();
      await page.locator("[role=row][data-place]").first().click();
      await expect(page.locator(".drawer.open")).toBeVisible();
      await scrollsNothingSideways(page, `the drawer in ${locale}`);
      await context.close();
    }
  });
}

test("nothing moves for who wants it so", async ({ start, page, topic }) => {
  const ottla = await start();
  await ottla.produce(topic, "still", { partition: 0 });
  await page.emulateMedia({ reducedMotion: "reduce" });
  // What it says of the parts that CSS makes, too.
  const moving = () =>
    page.evaluate(() => {
      const all = [...document.querySelectorAll("*")].filter((element) => !element.matches(".only-static"));
      const moves = (element: Element) =>
        [undefined, "::before", "::after"].some((part) => {
          const style = getComputedStyle(element, part);
          return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
        });
      return all.filter(moves).map((element) => element.outerHTML.slice(0, 80));
    });
  for (const path of everyPage(topic, `g-${topic}`)) {
    await page.goto(ottla.url + path);
    await expect(page.locator("html[data-hydrated]")).toBeAttached();
    await unfold(page);
    expect(await moving(), path).toEqual([]);
  }
  // While it connects again, too.
  await page.goto(ottla.url);
  await expect(page.locator(".conn")).toHaveAttribute("data-state", "live");
  await ottla.stop();
  await expect(page.locator('.conn[aria-busy="true"]').first()).toBeVisible();
  expect(await moving(), "without a server").toEqual([]);
});

/// Walks with Tab until it is there, and sees that one can see where one is.
async function tabTo(page: Page, goal: Locator) {
  await expect(goal).toBeVisible();
  for (let stops = 0; stops < 150; stops++) {
    if (await goal.evaluate((element) => element === document.activeElement)) break;
    await page.keyboard.press("Tab");
  }
  await expect(goal).toBeFocused();
  const ring = await goal.evaluate((element) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    const own = element.matches(":focus-visible") && ((outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none");
    // Of a radio button in a bar of them the label shows it.
    const label = element.closest("label");
    const around = label && getComputedStyle(label);
    return own || (around !== null && ((around.outlineStyle !== "none" && parseFloat(around.outlineWidth) > 0) || around.boxShadow !== "none"));
  });
  expect(ring, "the focus is seen").toBe(true);
}

test("keyboard alone: a topic is made, set, and deleted", async ({ start, page, topic }) => {
  const ottla = await start();
  const { keyboard } = page;
  const made = `${topic}-made`;
  const press = async (goal: Locator, key = "Enter") => {
    await tabTo(page, goal);
    await keyboard.press(key);
  };
  await page.goto(`${ottla.url}/topics`);
  await press(page.getByRole("link", { name: "Create topic" }));
  await tabTo(page, page.getByLabel("Name required"));
  await keyboard.type(made);
  await tabTo(page, page.getByLabel("Partitions"));
  await keyboard.type("2");
  await press(page.getByRole("button", { name: "Create topic" }));
  await expect(page).toHaveURL(`${ottla.url}/topics/${made}?done=created`);

  await press(page.getByRole("link", { name: "Edit retention.ms", exact: true }));
  await tabTo(page, page.locator("#config-value"));
  await keyboard.press("Control+a");
  await keyboard.type("7200000");
  await keyboard.press("Enter");
  await expect(page).toHaveURL(/done=config/);
  await expect(page.getByRole("row", { name: /^retention\.ms / })).toContainText("7200000");

  await press(page.locator("#change-delete summary"));
  await tabTo(page, page.locator("#confirm-delete"));
  await keyboard.type(made);
  await press(page.locator("#change-delete button"));
  await expect(page).toHaveURL(`${ottla.url}/topics?deleted=${made}`);
});

test("keyboard alone: a group is reset, and one without members is deleted", async ({ start, page, topic }) => {
  const ottla = await start();
  await ottla.produceMany(topic, "again", 4);
  const { keyboard } = page;
  await page.goto(`${ottla.url}/groups/g-${topic}`);
  await tabTo(page, page.getByRole("link", { name: "Reset offsets" }));
  await keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Preview" }));
  await keyboard.press("Enter");
  const tick = page.getByRole("checkbox").last();
  await tabTo(page, tick);
  await keyboard.press("Space");
  await expect(tick).toBeChecked();
  await tabTo(page, page.getByRole("button", { name: /^Reset/ }));
  await keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Result" }).getByText("Done")).toHaveCount(3);

  const other = `g-${topic}-empty`;
  const begun = await page.request.post(`${ottla.url}/api/v1/groups/${other}/reset`, { data: { topic, to: "earliest", execute: true } });
  expect(begun.ok()).toBe(true);
  await page.goto(`${ottla.url}/groups/${other}`);
  await tabTo(page, page.locator("#change-delete summary"));
  await keyboard.press("Enter");
  await tabTo(page, page.locator("#confirm-delete"));
  await keyboard.type(other);
  await keyboard.press("Enter");
  await expect(page.getByText(`The group ${other} was deleted.`)).toBeVisible();
});

test("keyboard alone: a topic is looked through, a record sent again, all deleted", async ({ start, page, topic }) => {
  const ottla = await start();
  await ottla.produceMany(topic, "seen", 60);
  const { keyboard } = page;
  const press = async (goal: Locator, key = "Enter") => {
    await tabTo(page, goal);
    await keyboard.press(key);
  };
  const rows = page.locator("#messages [role=row][data-place]");
  await page.goto(`${ottla.url}/topics/${topic}`);
  await expect(rows).toHaveCount(50);
  await press(page.getByRole("link", { name: "Older" }));
  await expect(rows).toHaveCount(10);
  await press(rows.first().getByRole("link").first());
  await expect(page).toHaveURL(/open=/);
  const again = page.getByRole("button", { name: "Send again" });
  const [popup] = await Promise.all([page.context().waitForEvent("page"), press(again)]);
  await expect(popup.getByText("Sent again.")).toBeVisible();
  await popup.close();

  await tabTo(page, page.getByRole("main").getByRole("searchbox"));
  await keyboard.type("no-such-text");
  await keyboard.press("Enter");
  await expect(page.getByText("No match. Messages looked at: 61")).toBeVisible();

  await press(page.locator("#change-empty summary"));
  await tabTo(page, page.locator("#confirm-empty"));
  await keyboard.type(topic);
  await keyboard.press("Enter");
  await expect(page).toHaveURL(/done=/);
  await expect(page.getByText("All messages were deleted.")).toBeVisible();
  await expect(rows).toHaveCount(0);
});
