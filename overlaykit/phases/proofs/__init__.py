"""What is concluded from the probes' answers, one file for each thing that is to be proven."""
