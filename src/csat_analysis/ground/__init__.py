"""What is asked for: rules and surveys as frozen data, their files, the words to say them, the errors."""
