// Every page that there is, as addresses: what holds for all of them is tried on each.

/// With a topic that has a record at [0]@0, and the group that reads it.
export function everyPage(topic: string, group: string): string[] {
  return [
    "/",
    "/produce",
    "/produce/many",
    "/cluster",
    `/cluster?q=${topic}`,
    "/cluster?q=no-such-topic",
    "/topics",
    "/topics?q=no-such-topic",
    "/topics?create=1",
    `/topics/${topic}`,
    `/topics/${topic}?edit=retention.ms`,
    `/topics/${topic}?edit=`,
    `/topics/${topic}?open=0-0`,
    `/topics/${topic}?filter=nothing-like-it`,
    `/topics/${topic}?offset=x&filter=json:x`,
    `/topics/${topic}/0/0`,
    "/groups",
    `/groups/${group}`,
    `/groups/${group}/reset`,
    `/groups/${group}/reset?to=earliest&topic=${topic}&preview=1`,
    `/groups/${group}/reset?to=offset&value=many&topic=${topic}&preview=1`,
    // What is not there.
    "/no-such-page",
    "/?feed=no-such-feed",
    "/topics/no-such-topic",
    `/topics/${topic}/0/4711`,
    `/topics/${topic}?partition=0&offset=9999`,
    "/groups/no-such-group",
    "/groups/no-such-group/reset",
  ];
}
