// Prints air-quality.csv: 5 days, 24 hours, 3 stations. The same on every run.

let state = 20_250_301;
/** Uniform in [0, 1): a 32-bit linear congruential generator (Numerical Recipes). */
function random() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

const stations = [
  { code: "00417", name: "Harbour", base: 31, isIndoor: "no" },
  { code: "00418", name: "Old Town, Market", base: 24, isIndoor: "no" },
  { code: "01102", name: 'School "Am Wall"', base: 9, isIndoor: "yes" },
];

const quote = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

console.log("date,hour,station_code,station,indoor,pm10,no2,temperature,remark");
for (let day = 1; day <= 5; day++) {
  for (let hour = 0; hour < 24; hour++) {
    for (const station of stations) {
      const traffic = hour >= 6 && hour <= 9 ? 1.6 : hour >= 16 && hour <= 19 ? 1.4 : 1;
      const pm10 = Math.round(station.base * traffic * (0.7 + 0.6 * random()));
      const no2 = (station.base * 0.8 * traffic * (0.6 + 0.8 * random())).toFixed(1);
      const celsius = (6 + 5 * Math.sin(((hour - 9) / 24) * 2 * Math.PI) + 2 * random()).toFixed(1);
      const isFaulty = random() < 0.04;
      const fields = [
        `2025-03-0${day}`,
        hour,
        station.code,
        quote(station.name),
        station.isIndoor,
        isFaulty ? "" : pm10,
        isFaulty ? "NA" : no2,
        celsius,
        isFaulty ? "sensor fault" : "",
      ];
      console.log(fields.join(","));
    }
  }
}
