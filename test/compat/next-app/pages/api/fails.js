/** An error. */
export default async function handler() {
  throw new Error("on purpose");
}
