"""What is asked to prove that a stack works: from inside the tasks (`inside`), through the published port (`way`), at
doors that must be shut (`doors`), between every pair of hosts (`pairs`), after the database's end (`persistence`), and
on the wire between the hosts (`tap`).

    answers = run_probes(fleet, wanted_probes(facts, stack))      # ask.py

`programs/` holds the small programs that run on the hosts.
"""
