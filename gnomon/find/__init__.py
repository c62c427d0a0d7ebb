"""What there is: claims, models, drivers and the user's own objects, found by walking and by name."""
