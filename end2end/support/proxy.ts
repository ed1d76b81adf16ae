// A wire that can be cut: a TCP relay between the browser and an instance, or the first of several that answers, as behind a
// load balancer.
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

interface Address {
  host: string;
  port: number;
}

export class Wire {
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  private constructor(
    private readonly to: Address[],
    private readonly server = createServer((socket) => void this.relay(socket)),
  ) {}

  static async to(...to: Address[]): Promise<Wire> {
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

  private async relay(near: Socket): Promise<void> {
    const far = this.isCut ? undefined : await this.reach();
    if (!far) {
      near.destroy();
      return;
    }
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

  private async reach(): Promise<Socket | undefined> {
    for (const address of this.to) {
      const far = connect({ ...address, noDelay: true });
      const answers = await once(far, "connect").then(
        () => true,
        () => false,
      );
      if (answers) return far;
    }
    return undefined;
  }
}
