"""The capability suite: short tests in English and Chinese that a rule can mark.

task    Capability: the items asked, capability by capability
items   what an item is, and the tables of them (*.yaml, one file a capability)

Every item with a rule holds an answer that keeps it and one that breaks it; a test tries both.
"""
