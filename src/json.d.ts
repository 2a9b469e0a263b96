/** Standard since V8 11.4 and in every Node that toolgate supports; TypeScript's library doesn't list it yet. */
interface JSON {
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
}
