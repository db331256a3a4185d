"""What a survey is made of: tables, forms, answers, complaints, and the measures made from them."""
