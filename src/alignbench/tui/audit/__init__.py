"""What two columns differ in."""
