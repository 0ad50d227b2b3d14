/** The text that src/api/generated.ts must have. */
export function generated(): Promise<string>
