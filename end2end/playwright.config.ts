// How the end-to-end tests run: real instances of Ottla, a real Kafka, a real Chromium. `make test` calls it; alone it needs
// a build (scripts/build.sh) and starts a Kafka itself.
import { defineConfig, devices } from "@playwright/test";
import { launchOptions } from "./support/chromium.ts";

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  globalSetup: "./support/cluster.ts",
  // Two files at a time, the tests of a file one after another. What measures has the machine to itself, before all others.
  workers: 2,
  fullyParallel: false,
  projects: [
    { name: "figures", testMatch: "figures.spec.ts", workers: 1 },
    { name: "behaviour", testIgnore: "figures.spec.ts", dependencies: ["figures"] },
  ],
  forbidOnly: !!process.env.CI,
  timeout: 60_000,
  // Two cores that others share: a test that passes the second time is reported as flaky.
  retries: process.env.CI ? 1 : 0,
  expect: { timeout: 10_000 },
  reporter: [["list"], ["json", { outputFile: "test-results/report.json" }]],
  use: {
    ...devices["Desktop Chrome"],
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    viewport: { width: 1440, height: 900 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions,
  },
});
