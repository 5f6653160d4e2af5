/** A page that is built once. */
export default function Index() {
  return "an index";
}
