"""One module per kind of database, loaded when it is first needed, with the functions of `contract.Engine`."""
