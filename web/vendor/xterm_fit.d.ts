/** The part of @xterm/addon-fit's types that is used. */
export class FitAddon {
  activate(terminal: unknown): void;
  dispose(): void;
  proposeDimensions(): { cols: number; rows: number } | undefined;
}
