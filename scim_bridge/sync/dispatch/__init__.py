"""What makes passes, removals and errands happen, on the threads of a scheduler or on workers of any machine."""
