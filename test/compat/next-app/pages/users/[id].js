/** A page with a parameter, which may lead elsewhere or nowhere. */
export function getServerSideProps({ params }) {
  if (params.id === "elsewhere")
    return { redirect: { destination: "/rendered", permanent: false } };
  if (params.id === "nobody") return { notFound: true };
  return { props: { id: params.id } };
}

export default function User({ id }) {
  return `user ${id}`;
}
