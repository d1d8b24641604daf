"""`connectory new`: writes what authors would otherwise copy from elsewhere."""
