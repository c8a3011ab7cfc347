import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The console as files in `dist/`; `npm start` builds them. `npx vite` here serves them while they are worked on, with the API of a server that runs. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: { target: "es2023", sourcemap: false, modulePreload: { polyfill: false } },
  server: {
    port: 5173,
    proxy: { "/api": { target: "http://127.0.0.1:8081", changeOrigin: false } },
  },
});
