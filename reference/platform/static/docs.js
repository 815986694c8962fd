// The API's description as a page. All addresses are relative: the service may stand behind a path prefix.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });
