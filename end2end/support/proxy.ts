// A wire that can be cut: a TCP relay between the browser and an instance.
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

export class Wire {
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  private constructor(
    private readonly to: { host: string; port: number },
    private readonly server = createServer((socket) => this.relay(socket)),
  ) {}

  static async to(to: { host: string; port: number }): Promise<Wire> {
    const wire = new Wire(to);
    wire.server.listen(0, "127.0.0.1");
    await once(wire.server, "listening");
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /// Breaks every connection, and refuses new ones until it is mended.
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  async dispose(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, "close");
  }

  private relay(near: Socket): void {
    if (this.isCut) {
      near.destroy();
      return;
    }
    const far = connect({ ...this.to, noDelay: true });
    near.setNoDelay(true);
    const pair: [Socket, Socket][] = [
      [near, far],
      [far, near],
    ];
    for (const [from, to] of pair) {
      this.sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}
