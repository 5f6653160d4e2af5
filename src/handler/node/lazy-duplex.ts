/**
 * A stream.Duplex whose state is made when somebody first looks at it: until then it is one small object.
 * Its prototype chain is Duplex' own; accessors stand where the constructor puts own properties, and the first touch of
 * any runs that constructor. It knows no state by name: which there are is read off a Duplex of this Node.
 */
import { Duplex, type DuplexOptions } from "node:stream";

/** What a socket is made with. */
const OPTIONS: DuplexOptions = { allowHalfOpen: true, autoDestroy: false, emitClose: false };

/** Node's constructor is a function, which can be called on an object made elsewhere. */
const construct = Duplex as unknown as (this: Duplex, options: DuplexOptions) => void;

type Loose = Record<string | symbol, unknown>;

/** A constructor that does nothing, in the place of Duplex' own. */
function Asleep(): void {}
Asleep.prototype = Duplex.prototype;
Object.setPrototypeOf(Asleep, Duplex);

const made = Reflect.ownKeys(new Duplex(OPTIONS));
const symbols = made.filter((key) => typeof key === "symbol");
/** Without a listener `_eventsCount` is no property of a stream's own, but who counts listeners may ask it alone. */
const KEYS: ReadonlySet<string | symbol> = new Set([...made, "_eventsCount"]);

const [symbol1 = "_events", symbol2 = "_events", ...others] = symbols;

/** Gives back what it is given: fields of a class that extends it become that object's own. */
function given(object: object): object {
  return object;
}
const Given = given as unknown as new (object: object) => object;

/** The properties of a stream, as fields, which are made many times as fast as by Object.defineProperty. */
class Room extends Given {
  _events: unknown = undefined;
  _readableState: unknown = undefined;
  _writableState: unknown = undefined;
  allowHalfOpen = true;
  _maxListeners: unknown = undefined;
  [symbol1]: unknown = undefined;
  [symbol2]: unknown = undefined;
  _eventsCount = 0;
}
const OTHERS = [...made.filter((key) => !Object.hasOwn(new Room({}), key)), ...others];

/** Duplex without the work of its constructor; see the top of this file. */
export abstract class LazyDuplex extends (Asleep as unknown as typeof Duplex) {
  #awake = false;

  static {
    for (const key of KEYS) {
      // Node's constructor looks at the prototypes, too: they have no state, and get none.
      Object.defineProperty(LazyDuplex.prototype, key, {
        configurable: true,
        get(this: LazyDuplex): unknown {
          if (!(#awake in this) || this.#awake) return undefined;
          this.wake();
          return (this as unknown as Loose)[key];
        },
        set(this: LazyDuplex, value: unknown): void {
          if (#awake in this) this.wake();
          Object.defineProperty(this, key, shown(value));
        },
      });
    }
  }

  /** Does it have the state of a stream? Then somebody uses it, or it is destroyed. */
  get awake(): boolean {
    return this.#awake;
  }

  /**
   * Makes the state, once; whoever asks again changes nothing.
   *
   * @param autoDestroy is the stream over once both of its sides have ended?
   */
  protected wake(autoDestroy = false): void {
    if (this.#awake) return;
    this.#awake = true;
    new Room(this);
    for (const key of OTHERS) Object.defineProperty(this, key, shown(undefined));
    construct.call(this, autoDestroy ? { ...OPTIONS, autoDestroy } : OPTIONS);
    this.woken();
  }

  /** Called right after the state was made. */
  protected abstract woken(): void;
}

const shown = (value: unknown): PropertyDescriptor => ({
  value,
  writable: true,
  enumerable: true,
  configurable: true,
});
