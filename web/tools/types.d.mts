/** Where the generated types stand. */
export const target: string
/** The text that they must have. */
export function generated(): Promise<string>
