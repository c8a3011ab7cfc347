/** Adds up the amounts of an order; one that is no number is a defect of whoever sent it. */
export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response("POST an order\n", { status: 405 });
    const { items } = await request.json();
    const total = items.reduce((sum, { amount }) => sum + checked(amount), 0);
    return Response.json({ items: items.length, total });
  },
};

function checked(amount) {
  if (typeof amount !== "number") throw new TypeError(`amount must be a number: ${amount}`);
  return amount;
}
