/** Types of links.mjs. */

/** A heading's anchor. */
export function anchorOf(heading: string): string;
/** Every link of a document. */
export function linksOf(text: string): { target: string; line: number }[];
/** Links that lead nowhere. */
export function followLinks(
  folder: string,
  documents: readonly string[],
): { count: number; dead: string[] };
