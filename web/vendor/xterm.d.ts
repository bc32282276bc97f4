/** The part of @xterm/xterm's types that is used. */
export class Terminal {
  constructor(options: Options);
  readonly element: HTMLElement | undefined;
  readonly textarea: HTMLTextAreaElement | undefined;
  readonly cols: number;
  readonly rows: number;
  readonly modes: { applicationCursorKeysMode: boolean };
  options: Options;
  open(place: HTMLElement): void;
  loadAddon(addon: { activate(terminal: Terminal): void; dispose(): void }): void;
  write(data: Uint8Array | string, done?: () => void): void;
  paste(text: string): void;
  resize(cols: number, rows: number): void;
  focus(): void;
  reset(): void;
  dispose(): void;
  onData(listener: (data: string) => void): void;
  onBinary(listener: (data: string) => void): void;
  attachCustomKeyEventHandler(handler: (event: KeyboardEvent) => boolean): void;
}
export interface Options {
  cursorBlink?: boolean;
  fontFamily?: string;
  fontSize?: number;
  minimumContrastRatio?: number;
  scrollback?: number;
  screenReaderMode?: boolean;
  theme?: Record<string, string>;
}
