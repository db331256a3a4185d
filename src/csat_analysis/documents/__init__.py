"""From a record to what people send: a report in Word, slides, a notice."""
