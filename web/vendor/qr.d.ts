/** The part of lean-qr's types that is used. */
export function generate(text: string): { size: number; get(x: number, y: number): boolean };
