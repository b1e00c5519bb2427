"""The door of pages: what people see and do with a browser, one module a room."""
