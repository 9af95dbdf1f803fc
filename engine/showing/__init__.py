"""What people see of plans and runs: text, pages, pictures, progress."""
