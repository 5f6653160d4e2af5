export default function About() {
  return <p>Built once</p>;
}
