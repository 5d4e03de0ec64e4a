# Node's own image is the one thing taken from outside; everything else comes from the lock file.
FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:26-bookworm-slim
ENV NODE_ENV=production \
    GATEWAY_HOST=0.0.0.0 \
    GATEWAY_PRIVATE_HOST=0.0.0.0 \
    GATEWAY_DATA_DIR=/data
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY package.json LICENSE README.md ./
COPY config ./config
COPY src ./src
# Strips the types once, so that a start on a read-only file system need not.
RUN node --import ./src/node-version.js src/cli.ts config check
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/readyz').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
CMD ["node", "--max-semi-space-size=16", "--import", "./src/node-version.js", "src/main.ts"]
