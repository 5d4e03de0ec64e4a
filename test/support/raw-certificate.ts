/**
 * A certificate that nobody signed but itself, for localhost and 127.0.0.1, good for a hundred years. For tests only: its
 * key is known to everybody who reads this.
 */
export const SELF_SIGNED = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIULuMQaUu5j8/Qn1XnSzO5gM13m1UwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzE4NTkxNloYDzIxMjYxMDMw
MTg1OTE2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQcY0zx9k6a6v86bBr/aa5D3vnY+xXdW0QEbjTt23Pq92JsXC7UAxVk
jU6j1lk6y5uxheXmxnKbSyh2mgOi3dbMo28wbTAdBgNVHQ4EFgQU+MTabnFUb4H5
az1hnkd1a4cEO/8wHwYDVR0jBBgwFoAU+MTabnFUb4H5az1hnkd1a4cEO/8wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAOCTgEmHQTTUBf/5pcApi0xsXIcUUQM8zOGYENbuhslAAiEA
7hdsl0zt2mVaT7Z6lbxR4a2T4DdsI3HsD5GAuhT4bn4=
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNox2mUr8Nsp+XMH9
H7eHREBsDcwgBjPJCMuycsdvN8yhRANCAAQcY0zx9k6a6v86bBr/aa5D3vnY+xXd
W0QEbjTt23Pq92JsXC7UAxVkjU6j1lk6y5uxheXmxnKbSyh2mgOi3dbM
-----END PRIVATE KEY-----`,
};
